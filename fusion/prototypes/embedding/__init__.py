"""The published method: an embedding of black boxes, how it is trained, and a new task within it."""
