"""How observations depend on the function that agents learn: numbers with noise, or one of two classes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
