"""Models trained apart, fused by matching their parameters; nothing but parameters and sums over rows leaves an owner.

``core``: the Beta-Bernoulli prior, gains, assignment, sweeps, merges along a tree. ``sets``: SPAHM, for any sets of
vectors. ``networks``: PFNM, for fully connected networks. ``gps``: sparse Gaussian processes. ``studies``: the papers'
experiments with their baselines. ``core`` imports none of the others, ``networks`` and ``gps`` only ``core``, ``sets``
both ``core`` and ``gps``, for SPAHM fuses sparse Gaussian processes too.
"""
