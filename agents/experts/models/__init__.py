"""Kinds of models that are trained here: a record of settings each, and their table."""
