"""Unequal data: one agent stops after 200 flights, the other goes on learning; what each gains from the other.

After the paper's figure of data disparity. The data are the flights of `airline`, where both agents observe one
function. (On the SYNTHETIC domain each agent observes the function through its own projection and must learn that
projection from its own rows; an agent with few rows then gains nothing from the other.)

After each round both agents hold the same posterior, so the first agent is as accurate as the second. The second gains
what 200 flights are worth: much at first, little in the end.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "airline", "test_count": 4_000, "first_agent_rows": 200},
    "agents": {"count": 2, "inducing": 100, "batch_size": 20, "hyperparameters": "fixed"},
    "network": {"topology": "complete"},
    "run": {"rounds": 60, "evaluate_rows": "all"},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("disparity")
