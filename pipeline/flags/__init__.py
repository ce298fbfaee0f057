"""Which branch a tenant takes: evaluation of the flags and what follows from it. Pure."""
