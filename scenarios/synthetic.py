"""The paper's SYNTHETIC domain: two agents observe one function through different projections, and learn together.

Agent a observes ``u(W_a x)`` in six dimensions and is tested on its own 4,000 points. The agents share the function
``u``, so the inducing points lie in the standardized domain (``shared = "latent"``). Each agent learns its own
projection ``W_a``; the initial projections together make the pilot rows of both agents most probable.
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
