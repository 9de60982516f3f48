"""Two thousand sensors read a random field anew in every round, and agree on one map of it: data that are never stored.

Hyper-parameters stay as the pilot sample gives them. With more agents a run takes longer, and needs no larger files.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "sensors"},
    "agents": {"count": 2000, "inducing": 100, "batch_size": 5, "hyperparameters": "fixed"},
    "network": {"topology": "geometric", "degree": 8},
    "run": {"rounds": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("sensors")
