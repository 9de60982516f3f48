"""Newcomers with few rows start from what fifty owners know, whose tasks are related in six ways: safe in all of them.

Owners have models of functions of their own. Their evidence tells what the functions have in common: a population of
functions, learned by EM. A newcomer takes a mixture of four priors, the population, half-way, scratch, and all tasks
being one, weighed by the evidence of its rows. Nobody tells it how tasks are related: all the same, in clusters, by
factors, a mean with deviations, not at all, or owners alike and the newcomer an outlier. Beside it: scratch, the
population prior alone, all evidence summed, weights of the owners' evidence that explain the rows best, the best
neighbour, the mean of all models.

`--set tasks.owners=10` has fewer owners, `--set tasks.relations=["outlier"]` one relation alone.

After Hoang, Lam, Low and Jaillet, "Learning Task-Agnostic Embedding of Multiple Black-Box Experts for Multi-Task Model
Fusion", ICML 2020, whose view of local models as observations of a latent process is taken literally here.
"""

KIND = "newcomers"

SETTINGS = {
    "tasks": {"source": "relations", "examples": [5, 20, 100]},
    "run": {"repeats": 8},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("personalise-tasks")
