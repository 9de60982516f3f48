"""Tasks that nobody has seen, beside experts that only answer queries: scenarios with a section [few_shot]."""
