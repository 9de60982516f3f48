"""The benchmarks, in the order of the report. A new one is a module in ``benchmarks/measured`` and a line below."""

from __future__ import annotations

__all__ = ["BENCHMARKS"]

BENCHMARKS = {
    "update": "agents that take in batches: m = 50, 100, 200; B = 1, 20, 32; float64 and float32",
    "predict": "mean and variance at 1, 32 and 1,000 queries",
    "consensus": "rounds of averaging: N = 1,000 and 10,000; P = 1,000 and 5,150; and what other simulators can start",
    "tree": "an exact sum at every agent along a spanning tree: N = 1,000, 10,000, 100,000",
    "start": "the bound of 2,000 pilot rows and its gradient, of which a search has many: M = 100, 500, 1,000",
    "airline": "the whole scenario, from loaded data to report, by parts, on one core and on two",
    "small": "ten agents that observe one row a round: m = 100, evaluated seldom or in every round; the runs of DRFGP",
    "scale": "10^3 to 10^6 agents, each size in processes of its own: seconds, bytes, memory",
    "ranks": "strong and weak scaling from 1 rank to 2, overlap, and the same bits on 4",
    "matching": "SPAHM and PFNM beside a loop over vectors: 10, 25, 50 groups of copies of 50, 200, 500 atoms",
    "blackbox": "CIGAR beside a loop over agents, experts and draws: 10 and 30 experts, 100 and 1,000 inputs",
    "personalise": "a warm start from 50 and 1,000 experts with M = 50, 100: the whole call, and EM alone",
    "plan": "memory and time that `coolgp plan` says, beside what three runs take",
}
"""What each measures, by the name of its module."""
