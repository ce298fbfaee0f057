"""What stands between a request and its answer: limits and throttling, and faults by order."""
