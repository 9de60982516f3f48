"""Several rounds: networks are matched, handed back, trained on, and matched again; with one and two hidden layers.

Five owners of digits, classes dealt by Dirichlet shares with concentration 0.5. Networks of owners start apart under
PFNM, after 20 passes; between two rounds each trains 5 passes from its own units of the fused network. Federated
averaging starts from common weights, and each round is 5 passes. Without
training between the rounds nothing changes after the first. Accuracy on 500 test rows, five seeds.

After Yurochkin, Agarwal, Ghosh, Greenewald, Hoang and Khazaeni, "Bayesian Nonparametric Federated Learning of Neural
Networks", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "digits", "partition": "dirichlet-classes", "concentration": 0.5, "test_count": 500},
    "experts": {"model": "mlp", "count": 5, "epochs": 20},
    "network": {"topology": "ring"},
    "run": {"rounds": 5},
}

GRID = {
    "hidden layers": {"one": {"experts.hidden": [50]}, "two": {"experts.hidden": [50, 50]}},
    "rule": {
        "PFNM": {"fusion.rule": "pfnm"},
        "PFNM, trained on": {"fusion.rule": "pfnm", "fusion.local_epochs": 5},
        "average, common start": {"fusion.rule": "average", "experts.start": "common"},
        "federated averaging": {
            "fusion.rule": "average",
            "fusion.local_epochs": 5,
            "experts.start": "common",
            "experts.epochs": 5,
        },
    },
    "run.seed": (0, 1, 2, 3, 4),
}

FIGURE = {
    "kind": "curves",
    "panels": "hidden layers",
    "lines": "rule",
    "x": "round",
    "metric": "accuracy",
    "title": "Rounds of fusion and further training on digits",
    "ylabel": "accuracy after fusion",
    "stages": ("post",),
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("pfnm-rounds")
