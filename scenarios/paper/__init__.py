"""Scenarios of the COOL-GP paper's figures: a file each, as beside the rooms; read, and never imported."""
