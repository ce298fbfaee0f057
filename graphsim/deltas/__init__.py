"""Delta queries: their rounds, and the tokens that lead from one to the next."""
