"""How results are shown: a page per thing, each also as JSON, and the tables, times and colours they are made of."""
