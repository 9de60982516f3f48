"""The paper's figure of flights: each agent's error before and after fusion as data grow, 1,000 agents.

Every agent learns its own hyper-parameters, as in the paper. Before fusion the errors of the agents differ by minutes;
after fusion they all lie on one line, below the error of nearly every agent before fusion.

What differs from the paper: 263,853 flights out of New York in 2013, where the paper has 600,000 of the whole US in
2008 (see `airline`); so each agent has 14 batches of 20. The 10,000 test flights are common to all agents.

Compared with the paper's figure (38 to 47 minutes before fusion and 38.2 to 39.6 after it): before fusion the agents'
errors are closer together here, because the agents start from length-scales of a common pilot sample; after fusion they
are as close together as in the paper.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "airline", "test_count": 10_000},
    "agents": {"count": 1_000, "inducing": 100, "batch_size": 20, "hyperparameters": "local"},
    "network": {"topology": "small-world"},
    "run": {"rounds": "all", "probes": 50},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig4")
