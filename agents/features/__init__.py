"""From inputs to features: inducing inputs or random waves, whitened and common coordinates."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
