"""Agents that learn: kernels, statistics, evidence and prediction of sparse Gaussian processes. Knows no graph."""
