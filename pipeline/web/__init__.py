"""The web process: health and metrics. Starlette and uvicorn are loaded by ``app`` and ``server`` alone."""
