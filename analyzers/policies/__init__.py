"""What do a tenant's conditional access policies leave open?"""
