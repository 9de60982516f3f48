"""What links do to messages, and which agents and links are there: faults, dynamics, the channel."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
