"""The cost of lost messages: 100 agents, fusion rules against a central server, losses from 0 to 50 %.

After the paper's figure of transmission loss. Every agent observes a random field near its position in the first two
rounds and nothing afterwards; there are ten rounds of learning with four communication rounds each. Hyper-parameters
are fixed, so that rules differ only in which data reach whom.

The rule "server" works like the server of a distributed sparse GP (dDTC): every agent reports new statistics once, and
the server sums what arrives and answers every agent in each round. A lost report is never sent again. With "server,
repeated" the agents report all their statistics in each round, which makes up for lost reports.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "field", "observations": 200},
    "agents": {
        "count": 100,
        "inducing": 64,
        "batch_size": 1,
        "hyperparameters": "fixed",
        "lengthscale": 0.5,
        "signal_variance": 1.0,
        "noise_variance": 0.01,
    },
    "network": {"topology": "geometric", "degree": 8},
    "fusion": {"rounds_per_step": 4},
    "run": {"rounds": 10, "probes": 5},
}

GRID = {
    "rule": {
        "tree": {"fusion.rule": "tree"},
        "flood": {"fusion.rule": "flood"},
        "push-sum": {"fusion.rule": "push-sum"},
        "consensus": {"fusion.rule": "consensus"},
        "server": {"fusion.rule": "server", "fusion.repeat": False},
        "server, repeated": {"fusion.rule": "server", "fusion.repeat": True},
    },
    "network.loss": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "run.seed": (0, 1),
}

FIGURE = {
    "x": "network.loss",
    "lines": "rule",
    "title": "What lost messages cost",
    "xlabel": "share of messages that are lost",
    "caption": "The server is told once what is new: a lost report is lost for good. "
    "Repeated: all that an agent has, in each round.\n",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("lossy")
