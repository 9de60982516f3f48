"""Types of arrays, random streams by key, and tables whose entries are imported when asked for."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
