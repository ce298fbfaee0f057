"""What happens to tenants: changes laid over the generated ones, the vocabulary they are told in, and scenarios."""
