"""The sections of a scenario as records, how they are read, and the one table of data sources."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
