"""Figures of models trained apart."""
