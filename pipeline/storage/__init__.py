"""PostgreSQL: the truth. One module of queries per concern; every query over tenant data takes a ``Scope``."""
