"""How Graph is asked and answers: OData's options and filters, types, errors; no tenant's data."""
