"""Requests to Graph and what they find: routes, lists, single objects, relations, batches."""
