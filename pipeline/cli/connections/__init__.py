"""What a command works on: its variables and settings, the database, the broker."""
