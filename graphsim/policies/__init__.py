"""The policies of generated tenants, and what these refer to."""
