"""A run put together, and its loop: draw, learn, exchange, evaluate."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
