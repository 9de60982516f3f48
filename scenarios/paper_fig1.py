"""The paper's figure of the SYNTHETIC domain: two agents' error before and after fusion, as batches come in.

For 50, 100 and 150 inducing points; what becomes of old batches when hyper-parameters move is decided by `transport`,
or by `importance` with 5 and 10 samples of the projection, as in the paper. Agents fuse by its plain sum.

What differs from the paper: 60 batches of 40 rows to each agent where it has 200; both agents start from projections
that make one pilot sample most probable; inputs lie in a cube narrow enough for 50 inducing points (in a wider one,
fusion harms even with the true projections: docs/experiments.md); and for `importance` the width of q(W) is the
prior's, 1: its samples are drawn from the prior, and a narrower q(W) leaves one of them all the weight.

Beside the paper's figure: with `transport` the error after fusion is below that before it after every batch, and the
gap shrinks, as there. With `importance` it stays far above: of 5 or 10 projections drawn from the prior in six
dimensions none is near, and neither agent learns much, alone or together. The paper shows it learning.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "synthetic", "test_count": 4_000, "width": 0.5, "standardize": False},
    "agents": {
        "count": 2,
        "batch_size": 40,
        "hyperparameters": "local",
        "shared": "latent",
        "lengthscale": "own",
        "inducing_choice": "kmeans",
        "learning_rate": 0.005,
    },
    "network": {"topology": "complete"},
    "run": {"rounds": 60},
}

_PRIORS = {"agents.encoding": "importance", "agents.projection_std": 1.0, "run.evaluate_every": 5}
"""An uncertain projection makes predictions slow: they are asked for less often."""

GRID = {
    "agents.inducing": (50, 100, 150),
    "method": {
        "transport": {},
        "importance, 5 samples": _PRIORS | {"agents.importance_samples": 5},
        "importance, 10 samples": _PRIORS | {"agents.importance_samples": 10},
    },
    "run.seed": (0, 1, 2),
}

FIGURE = {
    "kind": "curves",
    "panels": "agents.inducing",
    "lines": "method",
    "title": "SYNTHETIC: two agents that see one function through projections of their own",
    "metric": "error",
    "log": True,
    "ylabel": "RMSE to the noiseless function",
    "caption": "Batches of 40 rows; each run's error is the mean over both agents.",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig1")
