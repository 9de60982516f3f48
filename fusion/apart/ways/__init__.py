"""Ways in which owners match their models over a graph."""
