"""Graphs of agents: in memory, from files and networkx, drawn as arrays, and which links exist when."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
