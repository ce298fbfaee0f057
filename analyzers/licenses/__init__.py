"""Are licences paid for that nobody uses, or used that nobody pays for?"""
