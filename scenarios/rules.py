"""All fusion rules on the same agents, data and graph: flights, a field and the roads, five seeds each.

30 agents with 100 inducing inputs (or features) observe four batches of 25 rows each, and learn hyper-parameters
together under every rule. Committees combine predictions at the test rows after the last round: their messages are
included in bytes, and their time in `seconds_predicting`. `none` (no fusion) shows what fusion is worth.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "airline"},
    "agents": {"count": 30, "inducing": 100, "batch_size": 25, "hyperparameters": "collective"},
    "network": {"topology": "small-world"},
    "run": {"rounds": 4, "probes": 5, "evaluate_every": 4},
}

GRID = {
    "data": {
        "flights": {"data.source": "airline", "data.test_count": 1_000},
        "field": {"data.source": "field"},
        "roads": {"data.source": "road", "data.test_count": 1_000},
    },
    "rule": {
        "COOL-GP": {"fusion.rule": "tree"},
        "COOL-GP, random features": {"fusion.rule": "tree", "agents.basis": "rff"},
        "ensemble": {"fusion.rule": "ensemble"},
        "dPITC": {"fusion.rule": "dpitc"},
        "selective": {"fusion.rule": "selective"},
        "NPAE": {"fusion.rule": "npae"},
        "grBCM": {"fusion.rule": "grbcm"},
        "rBCM": {"fusion.rule": "rbcm"},
        "BCM": {"fusion.rule": "bcm"},
        "gPoE": {"fusion.rule": "gpoe"},
        "PoE": {"fusion.rule": "poe"},
        "none": {"fusion.rule": "none"},
    },
    "run.seed": (0, 1, 2, 3, 4),
}

FIGURE = {
    "kind": "league",
    "panels": "data",
    "lines": "rule",
    "metrics": {
        "rmse_post": "RMSE",
        "nlpd_post": "NLPD (nats)",
        "coverage95_post": "inside 95 % intervals",
    },
    "best": "nlpd_post",
    "reference": "COOL-GP",
    "targets": {"coverage95_post": 0.95},
    "title": "Every rule on the same agents, data and graph",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("rules")
