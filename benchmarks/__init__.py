"""How fast the pipeline is, each figure beside the floor it can be held against. ``python -m benchmarks``."""
