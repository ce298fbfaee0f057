"""Entra's token endpoint: who signs in, with what, and how that is refused."""
