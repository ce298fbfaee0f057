"""What is stored, as lists and pages for people: read only, one or a few statements per page."""
