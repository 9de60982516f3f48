"""Scenarios: data, settings, the loop of rounds, records and figures; and how to run them from Python."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
