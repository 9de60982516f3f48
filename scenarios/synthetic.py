"""The paper's SYNTHETIC domain: two agents see one function through different projections, and teach each other.

Agent a observes ``u(W_a x)`` in six dimensions and is tested on its own 4,000 points. What is common is ``u``, so
inducing points live in the standardized domain (``shared = "latent"``) and each agent learns its own ``W``, from one
that makes its rows of the pilot most probable beside the other's.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "synthetic"},
    "agents": {
        "count": 2,
        "inducing": 150,
        "batch_size": 40,
        "hyperparameters": "local",
        "shared": "latent",
        "lengthscale": "own",
        "learning_rate": 0.005,
    },
    "network": {"topology": "complete"},
    "run": {"rounds": 60},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("synthetic")
