"""Classifiers that only answer queries, pooled by every rule: digits of ten owners, four kinds of models, ten seeds.

Every rule gets the same models: forests, logistic regressions, nearest neighbours and networks, trained on their own
rows, which are dealt evenly or by Dirichlet shares of each class with concentration 0.5, so that most owners have never
seen some of the classes. `alone` is the mean of these models; `best` is chosen by the test rows, and `pooled` is one
forest trained on all rows: neither is a method, both are bounds.

Where owners have never seen a class they are sure that it does not occur. Products take them at their word, but for a
least probability; the average of probabilities does not. The table has the difference of every rule from that average,
seed by seed, with its interval.

After Hoang, Hoang, Low and Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "digits", "test_count": 500, "labelled_count": 50, "unlabelled_count": 200},
    "experts": {"model": "mixed", "count": 10, "models": ["forest", "logistic", "nearest", "mlp"]},
    "network": {"topology": "ring"},
}

GRID = {
    "classes": {
        "homogeneous": {"data.partition": "random"},
        "Dirichlet 0.5": {"data.partition": "dirichlet-classes"},
    },
    "rule": {
        "alone": {"fusion.rule": "alone"},
        "best, known afterwards": {"fusion.rule": "best"},
        "pooled": {"fusion.rule": "pooled"},
        "average": {"fusion.rule": "ensemble"},
        "average, by classes": {"fusion.rule": "ensemble", "fusion.weights": "classes"},
        "median": {"fusion.rule": "median"},
        "stacking": {"fusion.rule": "stacking"},
        "CIGAR": {"fusion.rule": "cigar"},
        "CIGAR, product": {"fusion.rule": "cigar", "fusion.uncertainty": "product"},
        "COLBI": {"fusion.rule": "colbi"},
    },
    "run.seed": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
}

FIGURE = {
    "kind": "league",
    "panels": "classes",
    "lines": "rule",
    "metrics": {
        "accuracy_post": "accuracy",
        "log_loss_post": "log loss (nats)",
        "calibration_error_post": "calibration error",
    },
    "best": "accuracy_post",
    "targets": {},
    "worst": ("accuracy_post",),
    "reference": "average",
    "title": "Ten classifiers of digits that only answer queries, pooled by every rule",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("blackbox-classes")
