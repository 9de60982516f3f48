"""Rules that do more with evidence than add it up: several models, blocks of rows, chosen or weighted neighbours."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
