"""The paper's figure of traffic: RMSE before and after fusion against batches, for 100 agents on the roads.

Each agent learns its own hyper-parameters, as in the paper, with 100 and 200 inducing inputs. When hyper-parameters
change, old batches are re-encoded by `transport`, or by `importance` with 5 and 20 samples as in the paper.

What differs from the paper: the data are drawn (see `road`); each agent has 12 batches of 20 rows, where the paper has
10,000 batches in all; the inducing inputs lie in the input domain and are common to all agents, because all observe one
function; and every agent starts from the hyper-parameters of a common pilot sample. For `importance` the width of q(W)
is that of the prior, 1: samples are drawn from the prior, and with a narrower q(W) one sample gets all the weight.

Compared with the paper's figure: fusion lowers the error everywhere, as in the paper, and most where agents know least.
The error after fusion is near its final value from the first batches on, because all agents start from a common pilot
sample. The error of `transport` is below that of `importance`.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "road", "test_count": 2_000},
    "agents": {"count": 100, "batch_size": 20, "hyperparameters": "local"},
    "network": {"topology": "small-world"},
    "run": {"rounds": 12, "probes": 10},
}

GRID = {
    "agents.inducing": (100, 200),
    "encoding": {
        "transport": {"agents.encoding": "transport"},
        "importance, 5 samples": {
            "agents.encoding": "importance",
            "agents.projection_std": 1.0,
            "agents.importance_samples": 5,
        },
        "importance, 20 samples": {
            "agents.encoding": "importance",
            "agents.projection_std": 1.0,
            "agents.importance_samples": 20,
        },
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
