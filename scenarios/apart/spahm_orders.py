"""How far the order of merges matters: groups on a tree match noisy copies of atoms, and nobody sees all vectors.

Forty atoms are drawn in ten dimensions, and 16 groups have noisy copies of some. All groups at once (SPAHM) are
compared with merges along a balanced tree, a chain and a random tree, with a token that walks from group to group, and
with one walk of a token after the merges. The adjusted Rand index says how well labels agree with the true ones; the
bytes are those of the messages. Everybody knows the variances.

`--set vectors.groups=64` draws more groups, `--set "vectors.noise=[3]"` one noise.

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019, whose groups match one after another in one place; merges and the token are this project's.
"""

KIND = "vectors"

SETTINGS = {
    "vectors": {"source": "orders", "noise": [0.5, 1.0, 2.0, 3.0, 5.0]},
    "matching": {"sweeps": 10},
    "run": {"repeats": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-orders")
