"""The same work as one would write it from the formulas, with NumPy and SciPy alone: what coolgp is timed beside."""
