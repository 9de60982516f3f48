"""Benchmarks: coolgp against the machine's limits, against other libraries, and against a plain NumPy loop.

``python -m benchmarks --help``, from the root of the repository. Not part of the installed package.
"""
