"""Experts that are used by queries alone: counted, remembered and capped; programs and servers that answer them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
