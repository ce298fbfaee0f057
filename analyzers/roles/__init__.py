"""Who holds privileged roles, and with what accounts?"""
