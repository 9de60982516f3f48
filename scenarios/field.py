"""A random field on a square, sensed by 60 agents, each near its own position: alone they know a patch.

Links join agents that are close; messages travel along a spanning tree of them.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "field"},
    "agents": {"count": 60, "inducing": 150, "batch_size": 5},
    "network": {"topology": "geometric", "degree": 8},
    "run": {"rounds": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("field")
