"""A model of one's own from few rows, and from models that others trained for tasks of their own.

``population``, ``learning``: what the tasks of sparse Gaussian processes have in common. ``mixture``: a newcomer's
model that is safe where its task is not like theirs. ``gps``: from fitted models to both.
"""
