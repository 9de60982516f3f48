"""What a run will need, before it is started: memory, bytes, time; and a survey of its network."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
