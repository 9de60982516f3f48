"""Airports with 5, 20 or 100 flights start from the models of fifty others: how late do flights arrive?

The flights out of New York in 2013 go to 104 airports. Of those with enough flights, fifty own a sparse GP of 300
flights of their own, which predicts the delay from eight inputs. The others are newcomers, who have seen 5, 20 or 100
flights. Owners hand over their models. Every draw deals the parts anew.

After Hoang, Lam, Low and Jaillet, "Learning Task-Agnostic Embedding of Multiple Black-Box Experts for Multi-Task Model
Fusion", ICML 2020: the purpose is theirs, data and method are not.
"""

KIND = "newcomers"

SETTINGS = {
    "tasks": {"source": "airports", "examples": [5, 20, 100]},
    "run": {"repeats": 5},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("personalise-airports")
