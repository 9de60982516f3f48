"""The paper's figure of the SYNTHETIC domain: two agents' error before and after fusion, as batches come in.

For 50, 100 and 150 inducing points; what becomes of old batches when hyper-parameters move is decided by `transport`,
or by `importance` with 5 and 10 samples of the projection, as in the paper. Agents fuse by `weighed`: others' evidence
counts for as much as an agent's own data bear out. The paper's plain sum stands beside it.

What differs from the paper: 60 batches of 40 rows to each agent where it has 200; both agents start from projections
of one pilot sample; and for `importance` the width of q(W) is the prior's, 1: its samples are drawn from the prior,
and a narrower q(W) leaves one of them all the weight.
"""

SETTINGS = {
    "data": {"source": "synthetic", "test_count": 4_000},
    "agents": {"count": 2, "batch_size": 40, "hyperparameters": "local", "shared": "latent"},
    "network": {"topology": "complete"},
    "run": {"rounds": 60},
}

_PRIORS = {"agents.encoding": "importance", "agents.projection_std": 1.0}

GRID = {
    "agents.inducing": (50, 100, 150),
    "method": {
        "transport": {"fusion.rule": "weighed"},
        "importance, 5 samples": _PRIORS | {"fusion.rule": "weighed", "agents.importance_samples": 5},
        "importance, 10 samples": _PRIORS | {"fusion.rule": "weighed", "agents.importance_samples": 10},
        "transport, plain sum": {"fusion.rule": "tree"},
    },
    "run.seed": (0, 1),
}

FIGURE = {
    "kind": "curves",
    "panels": "agents.inducing",
    "lines": "method",
    "title": "SYNTHETIC: two agents that see one function through projections of their own",
    "ylabel": "RMSE",
    "caption": "Batches of 40 rows; each run's error is the mean over both agents.",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli import run_script

    run_script("paper-fig1")
