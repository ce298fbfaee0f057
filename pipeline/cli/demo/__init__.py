"""``mspbyte demo``: five simulated tenants from sync to alerts, on real servers and real workers."""
