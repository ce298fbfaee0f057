"""Which accounts are not used?"""
