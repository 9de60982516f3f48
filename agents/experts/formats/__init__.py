"""Files of fitted models: each format is a module and an entry of the table in `files`; no pickle is ever loaded."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
