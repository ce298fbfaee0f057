"""Change notifications: subscriptions, and their delivery."""
