"""Atoms that twenty groups share, found from noisy copies of them by matching: the simulation of the SPAHM paper.

Fifty atoms are drawn in 50 dimensions. Each group has some of them, as copies with noise. Nobody knows how many atoms
there are or which copies belong together. SPAHM matches the copies of all groups. Its Hausdorff distance to the true
atoms and its number of atoms are compared with greedy matching, k-means of all copies, and all copies as they are.

`--set vectors.groups=100` draws more groups, and `--set vectors.local=estimated` gives each group points around its
copies, whose k-means centres are matched (slower).

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019, section 4.1. Baselines differ: greedy matching and all copies are not in the paper.
"""

KIND = "vectors"

SETTINGS = {
    "vectors": {"source": "copies", "noise": [0.1, 0.5, 1.0, 2.0, 5.0, 10.0]},
    "run": {"repeats": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-simulated")
