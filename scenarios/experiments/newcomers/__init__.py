"""Newcomers with few rows, and the models of others: scenarios with a section [tasks]."""
