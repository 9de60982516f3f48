"""A random field on a square, sensed by 100 agents near their own positions: each sees a patch, together they see all.

Links join agents that are close; messages travel along a spanning tree of them.
"""

SETTINGS = {
    "data": {"source": "field"},
    "agents": {"count": 100, "inducing": 150, "batch_size": 20},
    "network": {"topology": "geometric", "degree": 8},
    "run": {"rounds": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli import run_script

    run_script("field")
