"""Models that stand in for experts which only answer queries: linear in features that all owners have in common."""
