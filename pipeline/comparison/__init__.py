"""Whether two branches agree: a keyed difference of what they wrote. Pure."""
