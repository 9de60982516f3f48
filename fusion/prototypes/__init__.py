"""A classifier for a new task from a few examples, rows without labels, and experts that only answer queries."""
