"""Kernels as objects: values, slopes, and what only some of them have; a file each, and their table."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
