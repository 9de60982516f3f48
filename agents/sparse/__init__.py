"""A sparse Gaussian process of one data set: the collapsed bound, its gradient, and its maximum."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
