"""Types of arrays, and inverses of stacks of triangular matrices: what everything in agents stands on."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
