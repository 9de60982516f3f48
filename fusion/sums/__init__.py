"""Rules by which a row of numbers of each agent reaches its sum over all agents."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
