"""Agents that learn two classes online: the kind "classification"."""
