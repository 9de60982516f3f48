"""Imitation of experts that only answer queries, by surrogates that ask nobody (COLBI)."""
