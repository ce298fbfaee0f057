"""Asking for a run and waiting for it, as ``sync`` and ``compare`` do: of the workers, or in this process."""
