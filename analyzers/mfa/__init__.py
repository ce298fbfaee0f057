"""Is MFA demanded of users, and can they do it?"""
