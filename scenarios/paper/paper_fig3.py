"""The paper's figure of speed: learning time of a COOL-GP agent, and of a central GP with all rows, on the roads.

Left: seconds against rows, for one agent of COOL-GP and for central DTC and PITC that are trained again on all rows so
far after each round, as in the paper. For a fair comparison there is also a central DTC that only updates its sums,
and so learns online as COOL-GP does. Middle and right: error and seconds of an agent, for a quarter, a half and all of
the agents, with 30 batches each.

What differs from the paper: the roads are drawn (see `road`). One core does the work of all agents, and the seconds of
an agent are those of the whole run divided by the number of agents. Hyper-parameters are fixed, for the central GP too,
so that the time is that of learning from rows alone. One more line is for agents that learn their own hyper-parameters,
as the paper's agents do.
"""

KIND = "timing"

SETTINGS = {
    "data": {"source": "road", "test_count": 2_000},
    "agents": {"count": 100, "inducing": 100, "batch_size": 2, "hyperparameters": "fixed"},
    "network": {"topology": "small-world"},
    "run": {"rounds": 30, "probes": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig3")
