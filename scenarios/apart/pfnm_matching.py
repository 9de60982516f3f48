"""How PFNM's owners match: everybody all networks, along a tree, or by a token, with 5 and with 25 owners.

Digits are dealt to the owners, each class by Dirichlet shares with concentration 0.5, and each owner trains 50 hidden
units on its own rows. The prior is one under which about half of all units match, and under which the order of the
owners shows. Accuracy and size are those of the fused network; bytes are all messages.

`--set run.seed=0` takes one seed, `--set experts.hidden=[50,50]` two hidden layers; `--set fusion.mass=50` matches
nearly no units.

After Yurochkin, Agarwal, Ghosh, Greenewald, Hoang and Khazaeni, "Bayesian Nonparametric Federated Learning of Neural
Networks", ICML 2019, who match in one place.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "digits", "partition": "dirichlet-classes", "concentration": 0.5, "test_count": 500},
    "experts": {"model": "mlp", "hidden": [50], "epochs": 20},
    "network": {"topology": "ring"},
    "fusion": {"rule": "pfnm", "mass": 1.0, "noise_variance": 0.5, "prior_variance": 1.0},
}

GRID = {
    "owners": {"5 owners": {"experts.count": 5}, "25 owners": {"experts.count": 25}},
    "matching": {
        "everyone": {"fusion.matching": "everyone"},
        "tree, merges alone": {"fusion.matching": "tree", "fusion.sweeps": 0},
        "tree, 1 walk": {"fusion.matching": "tree", "fusion.sweeps": 1},
        "tree, 5 walks": {"fusion.matching": "tree", "fusion.sweeps": 5},
        "token, 1 walk": {"fusion.matching": "token", "fusion.sweeps": 0},
        "token, 2 walks": {"fusion.matching": "token", "fusion.sweeps": 1},
    },
    "run.seed": (0, 1, 2, 3, 4),
}

FIGURE = {
    "kind": "league",
    "panels": "owners",
    "lines": "matching",
    "metrics": {"accuracy_post": "accuracy", "bytes": "bytes sent", "parameters": "numbers of the fused network"},
    "best": "accuracy_post",
    "targets": {},
    "worst": ("accuracy_post",),
    "title": "Networks of digits that were trained apart, matched by everybody, along a tree, or by a token",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("pfnm-matching")
