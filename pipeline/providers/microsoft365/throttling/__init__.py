"""Keeping Microsoft's limits: what a request costs, which bucket it draws from, and when it may go.

https://learn.microsoft.com/graph/throttling-limits
"""
