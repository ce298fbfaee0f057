"""Alert reconciliation: from findings to changes of stored alerts. Pure."""
