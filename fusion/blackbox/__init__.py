"""Fusion of experts that only answer queries: nobody opens them, and they need no parameters.

``gaussians``: closed forms. ``estimators``, ``directions``, ``steps``: derivatives by queries, and what agents do with
their sums. ``cigar``: these over a graph. ``uncertainty``: variances and pooled classes from sums. ``imitation``:
surrogates that learn an expert by queries.
"""
