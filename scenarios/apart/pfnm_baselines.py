"""PFNM beside everything it has to beat: digits of five owners, each with few classes or with all, ten seeds each.

Every rule gets the same networks: each owner trains 50 hidden units on its own rows. Classes are dealt evenly, or by
Dirichlet shares with concentration 0.5, so that most owners have never seen some of them. `pooled` is trained on all
rows, `best` is chosen by the test rows: neither is a method, both are bounds. An ensemble keeps all networks and asks
them for every row; all others leave one network.

`--set data.source=mnist` takes larger digits, `--set experts.hidden=[50,50]` two hidden layers, `--set run.seed=0`
one seed.

After Yurochkin, Agarwal, Ghosh, Greenewald, Hoang and Khazaeni, "Bayesian Nonparametric Federated Learning of Neural
Networks", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "digits", "test_count": 500},
    "experts": {"model": "mlp", "count": 5, "hidden": [50], "epochs": 20},
    "network": {"topology": "ring"},
}

GRID = {
    "classes": {
        "Dirichlet 0.5": {"data.partition": "dirichlet-classes"},
        "homogeneous": {"data.partition": "random"},
    },
    "rule": {
        "alone": {"fusion.rule": "alone"},
        "best, known afterwards": {"fusion.rule": "best"},
        "pooled": {"fusion.rule": "pooled"},
        "ensemble": {"fusion.rule": "ensemble"},
        "ensemble, by classes": {"fusion.rule": "ensemble", "fusion.weights": "classes"},
        "average": {"fusion.rule": "average"},
        "average, common start": {"fusion.rule": "average", "experts.start": "common"},
        "re-basin": {"fusion.rule": "re-basin"},
        "random features": {"fusion.rule": "random-features"},
        "k-means": {"fusion.rule": "k-means"},
        "k-means, refitted head": {"fusion.rule": "k-means", "fusion.head": "refit"},
        "greedy matching": {"fusion.rule": "pfnm", "fusion.solver": "greedy", "fusion.sweeps": 0},
        "PFNM": {"fusion.rule": "pfnm"},
        "PFNM, map": {"fusion.rule": "pfnm", "fusion.read_out": "map"},
        "PFNM, split": {"fusion.rule": "pfnm", "fusion.read_out": "split"},
        "PFNM, refitted head": {"fusion.rule": "pfnm", "fusion.head": "refit"},
    },
    "run.seed": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
}

FIGURE = {
    "kind": "league",
    "panels": "classes",
    "lines": "rule",
    "metrics": {"accuracy_post": "accuracy", "log_loss_post": "log loss (nats)", "bytes": "sent"},
    "best": "accuracy_post",
    "targets": {},
    "worst": ("accuracy_post",),
    "title": "Five networks of digits that were trained apart, fused by every rule",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("pfnm-baselines")
