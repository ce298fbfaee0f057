"""The four old analyzers. Each loads what it needs by itself and asks about one user at a time."""
