"""MSPByte pipeline: syncs Microsoft 365 tenants, links and analyzes what it finds, keeps alerts right."""
