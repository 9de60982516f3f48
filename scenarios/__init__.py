"""Scenarios: data, settings, the loop of rounds, records and figures; and how to run them from Python."""

import importlib
import os
import sys

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if "MPLBACKEND" in os.environ and "matplotlib" not in sys.modules:
    try:
        importlib.import_module("matplotlib")
    except ValueError:  # a notebook's, in an environment without it: figures are written, and need no backend
        del os.environ["MPLBACKEND"]
        for name in [name for name in sys.modules if name.startswith("matplotlib.")]:
            del sys.modules[name]  # half of it was loaded
