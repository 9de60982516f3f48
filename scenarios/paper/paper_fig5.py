"""The paper's figures of data disparity and of transmission loss: the scenarios `disparity` and `lossy`, side by side.

Left: an agent that stops after 200 flights and one that goes on learning, each before and after fusion. Right: RMSE
against the share of messages that are lost, for rules without a server and for servers to which agents report.

What differs from the paper: its agents observe its traffic data. Here the left part uses flights, where both agents
observe one function, and the right part a random field (see the descriptions of the two scenarios).

Compared with the paper's figures: the agent with few flights becomes as accurate as the one with many, as in the paper.
A server to which agents report new statistics only once loses accuracy, as in the paper. A server to which they report
everything in each round loses none, and neither do a tree and flooding. Push-sum and consensus, which have no server
either, are worse than the server of the paper.
"""

KIND = "side-by-side"

SETTINGS = {
    "data": {"source": "airline", "test_count": 4_000, "first_agent_rows": 200},
    "agents": {"count": 2, "inducing": 100, "batch_size": 20, "hyperparameters": "fixed"},
    "network": {"topology": "complete"},
    "run": {"rounds": 60, "evaluate_rows": "all"},
    "beside": {"run": "disparity", "scenario": "lossy"},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig5")
