"""A sparse Gaussian process of one data set: the collapsed bound, its gradient, and its maximum."""
