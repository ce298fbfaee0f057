"""The stages of a run: each gathers, decides and hands back how to apply, and knows neither Celery nor flags."""
