"""Seeing what runs: logs, query counts, metrics."""
