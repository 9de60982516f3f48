"""A random field on a square: 60 agents each observe it near their own position, and learn all of it by fusion.

Links join agents that are close to each other. Messages travel along a spanning tree of these links.
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
