"""Checkpoints of a run: what is in them, how they lie on disk, what they are taken up with."""
