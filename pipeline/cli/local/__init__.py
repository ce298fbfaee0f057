"""The system on one machine: its processes as children of one command, and what it leaves for others to find it."""
