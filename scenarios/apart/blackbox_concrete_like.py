"""Ten models of the strength of concrete, each of its own kind and mixes, agree on predictions by answering queries.

The mixes are drawn from the seed by rules of thumb of the trade (data source `concrete`), in place of a table of the
literature that no package holds; eight inputs, with interactions that a linear model misses. Otherwise as
`blackbox-diabetes`: Gaussian processes, forests, linear models, support vectors and networks of 70 mixes each climb the
product of all their predictive distributions along a ring (CIGAR), and one round is one communication round.

Here experts differ more than on the diabetes data, and their errors have less in common. Compare with `--set
fusion.rule=ensemble` (the average), `median`, `poe`, `gpoe`, `rbcm`, `stacking`, `best` and `pooled`.

After Hoang, Hoang, Low and Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "concrete", "test_count": 200, "labelled_count": 20, "unlabelled_count": 110},
    "experts": {"model": "mixed", "count": 10, "models": ["gp", "forest", "ridge", "svr", "mlp"]},
    "network": {"topology": "ring"},
    "fusion": {"rule": "cigar", "rounds_per_step": 1},
    "run": {"rounds": 30},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("blackbox-concrete-like")
