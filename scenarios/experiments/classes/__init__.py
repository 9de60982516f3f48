"""Agents that learn two classes online: the kind "two-classes"."""
