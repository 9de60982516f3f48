"""The paper's figure of traffic: RMSE before and after fusion against batches, for 100 agents on the roads.

Each agent learns hyper-parameters of its own, as in the paper, for 100 and 200 inducing inputs; what becomes of old
batches when these move is decided by `transport`, or by `importance` with 5 and 20 samples as in the paper.

What differs from the paper: the data, which are drawn (see `road`); batches of 20 rows, 12 to each agent, where the
paper has 10,000 batches in all; the agents' common inducing inputs lie in the input domain, for all observe one
function; and every agent starts from hyper-parameters of a common pilot sample. For `importance` the width of q(W) is
the prior's, 1: its samples are drawn from the prior, and a narrower q(W) leaves one of them all the weight.

Beside the paper's figure: fusion helps everywhere, as there, and most where agents know least. The error after fusion
is near its end from the first batches on, for all start from a common pilot. `transport` is below `importance`.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "road", "test_count": 2_000},
    "agents": {"count": 100, "batch_size": 20, "hyperparameters": "local"},
    "network": {"topology": "small-world"},
    "run": {"rounds": 12, "probes": 10},
}

_PRIORS = {"agents.encoding": "importance", "agents.projection_std": 1.0}

GRID = {
    "agents.inducing": (100, 200),
    "encoding": {
        "transport": {"agents.encoding": "transport"},
        "importance, 5 samples": _PRIORS | {"agents.importance_samples": 5},
        "importance, 20 samples": _PRIORS | {"agents.importance_samples": 20},
    },
    "run.seed": (0, 1),
}

FIGURE = {
    "kind": "curves",
    "panels": "agents.inducing",
    "lines": "encoding",
    "title": "Speeds on 775 road segments, learned by 100 agents",
    "ylabel": "RMSE of speed (km/h)",
    "caption": "Batches of 20 rows; each run's error is the mean over 10 agents.",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig2")
