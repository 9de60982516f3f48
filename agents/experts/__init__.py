"""Fitted models, seen through one small interface: what fusion of models that were trained apart works on."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
