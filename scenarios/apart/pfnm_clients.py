"""From 5 to 25 owners of the same digits: the more there are, the fewer rows each network was trained on.

All owners together have the same rows throughout; classes are dealt by Dirichlet shares with concentration 0.5. What
PFNM and random features leave is one network, an ensemble keeps as many as there are owners. Accuracy on 500 test rows,
five seeds; the report has that of the owners' own networks too.

After Yurochkin, Agarwal, Ghosh, Greenewald, Hoang and Khazaeni, "Bayesian Nonparametric Federated Learning of Neural
Networks", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "digits", "partition": "dirichlet-classes", "concentration": 0.5, "test_count": 500},
    "experts": {"model": "mlp", "hidden": [50], "epochs": 20},
    "network": {"topology": "ring"},
}

GRID = {
    "experts.count": (5, 10, 15, 25),
    "rule": {
        "1,000 random features": {"fusion.rule": "random-features", "fusion.units": 1000},
        "250 random features": {"fusion.rule": "random-features"},
        "pooled": {"fusion.rule": "pooled"},
        "PFNM, refitted head": {"fusion.rule": "pfnm", "fusion.head": "refit"},
        "PFNM": {"fusion.rule": "pfnm"},
        "ensemble, by classes": {"fusion.rule": "ensemble", "fusion.weights": "classes"},
        "ensemble": {"fusion.rule": "ensemble"},
    },
    "run.seed": (0, 1, 2, 3, 4),
}

FIGURE = {
    "x": "experts.count",
    "lines": "rule",
    "y": "accuracy_post",
    "title": "The same digits, dealt to more and more owners",
    "xlabel": "owners",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("pfnm-clients")
