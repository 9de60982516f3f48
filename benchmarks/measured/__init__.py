"""What is measured: a benchmark is a module with ``measure(quick)`` and a line in :mod:`benchmarks.registry`."""
