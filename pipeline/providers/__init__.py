"""Where tenants are read from. One folder per provider; ``source`` is what each of them implements."""
