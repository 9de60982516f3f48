"""Experts that only answer queries, fused by every rule: patients and concrete, ten models of several kinds, ten seeds.

Every rule gets the same models: Gaussian processes, forests, linear models, support vectors and networks, two of each,
trained on their own rows. `alone` is the mean of these models; `best` is chosen by the test rows, and `pooled` is one
Gaussian process trained on all rows: neither is a method, both are bounds. `stacking` finds its weights on twenty rows
with targets that were set aside, `COLBI` imitates the models at inputs that were set aside.

The table has the difference of every rule from the plain average, seed by seed, with its interval. The product that
CIGAR climbs to is below the mean model and hardly to be told from the average. Intervals of the product hold far fewer
rows than they say; those of the generalised product, the default, hold about as many. Predictions of "CIGAR" under its
three kinds of uncertainty have the same means.

`--set data.source=diabetes` takes one data set, `--set run.seed=0` one seed, and `--set experts.models=['gp']` models
of one kind.

After Hoang, Hoang, Low and Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "diabetes", "labelled_count": 20},
    "experts": {"model": "mixed", "count": 10, "models": ["gp", "forest", "ridge", "svr", "mlp"]},
    "network": {"topology": "ring"},
}

GRID = {
    "data": {
        "patients": {"data.source": "diabetes", "data.test_count": 35, "data.unlabelled_count": 87},
        "concrete": {"data.source": "concrete", "data.test_count": 200, "data.unlabelled_count": 110},
    },
    "rule": {
        "alone": {"fusion.rule": "alone"},
        "best, known afterwards": {"fusion.rule": "best"},
        "pooled": {"fusion.rule": "pooled"},
        "average": {"fusion.rule": "ensemble"},
        "median": {"fusion.rule": "median"},
        "rBCM": {"fusion.rule": "rbcm"},
        "stacking": {"fusion.rule": "stacking"},
        "CIGAR": {"fusion.rule": "cigar"},
        "CIGAR, product": {"fusion.rule": "cigar", "fusion.uncertainty": "product"},
        "CIGAR, mixture": {"fusion.rule": "cigar", "fusion.uncertainty": "mixture"},
        "COLBI": {"fusion.rule": "colbi"},
    },
    "run.seed": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
}

FIGURE = {
    "kind": "league",
    "panels": "data",
    "lines": "rule",
    "metrics": {"rmse_post": "RMSE", "nlpd_post": "NLPD (nats)", "coverage95_post": "inside 95 % intervals"},
    "best": "rmse_post",
    "targets": {"coverage95_post": 0.95},
    "worst": ("rmse_post",),
    "reference": "average",
    "title": "Ten models that only answer queries, fused by every rule",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("blackbox-baselines")
