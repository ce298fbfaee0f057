"""How do the directory and what is connected with it stand?"""
