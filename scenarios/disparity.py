"""Unequal agents: the first keeps 200 flights and learns no more, the second goes on; what each has from the other.

After the paper's figure of data disparity, on the flights of `airline`, where both agents observe one function. (On the
SYNTHETIC domain each agent sees the function through a projection of its own, which it must learn from its own rows: an
agent with few of them gains nothing from what the other knows.) After each round both agree: the first is as good
as the second, and the second has gained what 200 flights are worth, much at first and little in the end.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "airline", "test_count": 4_000, "first_agent_rows": 200},
    "agents": {"count": 2, "inducing": 100, "batch_size": 20, "hyperparameters": "fixed"},
    "network": {"topology": "complete"},
    "run": {"rounds": 60},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("disparity")
