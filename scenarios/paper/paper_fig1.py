"""The paper's figure of the SYNTHETIC domain: two agents' error before and after fusion, as batches come in.

The study has 50, 100 and 150 inducing points. When hyper-parameters change, old batches are re-encoded by `transport`,
or by `importance` with 5 and 10 samples of the projection, as in the paper. The agents fuse by the paper's plain sum.

What differs from the paper: each agent has 60 batches of 40 rows instead of 200; both agents start from the projections
that make one pilot sample most probable; the inputs lie in a cube narrow enough for 50 inducing points (in a wider one,
fusion raises the error even with the true projections: docs/experiments.md). For `importance` the width of q(W) is that
of the prior, 1: samples are drawn from the prior, and with a narrower q(W) one sample gets all the weight.

Compared with the paper's figure: with `transport` the error after fusion is below the error before it after every
batch, and the gap shrinks, as in the paper. With `importance` the error stays far above: in six dimensions none of 5 or
10 projections drawn from the prior is near the true one, and neither agent learns much, alone or together. In the paper
`importance` does learn.
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

# With an uncertain projection predictions are slow: they are asked for less often.
GRID = {
    "agents.inducing": (50, 100, 150),
    "method": {
        "transport": {},
        "importance, 5 samples": {
            "agents.encoding": "importance",
            "agents.projection_std": 1.0,
            "agents.importance_samples": 5,
            "run.evaluate_every": 5,
        },
        "importance, 10 samples": {
            "agents.encoding": "importance",
            "agents.projection_std": 1.0,
            "agents.importance_samples": 10,
            "run.evaluate_every": 5,
        },
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
