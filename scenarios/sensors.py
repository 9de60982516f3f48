"""Data that are never stored: 2,000 sensors draw observations of a random field in each round, and agree on one map.

Hyper-parameters stay at the values fitted to the pilot sample. A run with more agents takes longer, but its files do
not grow.
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
