"""Handwritten digits of five owners, each with few classes: their networks are matched unit by unit and fused.

The digits that come with scikit-learn are dealt to five agents, each class by Dirichlet shares with concentration 0.5,
so that most agents have never seen some of the classes. Each trains a network of 50 hidden units on its own rows; the
networks are handed on along a spanning tree of a ring, and everybody matches their hidden units as PFNM does. No row
leaves its owner. Of a grid of priors the agents take the one that gets most rows right, of all owners together.

`--set fusion.head=refit` fits the output layer afresh from sums over the owners' rows. Compare with `--set
fusion.rule=alone`, `ensemble`, `average`, `pooled` and `best`, which chooses by the test rows; `--set
data.partition=random` deals all classes evenly, `--set data.source=mnist` takes larger digits, and `--set run.rounds=3
--set fusion.local_epochs=5` trains on after each fusion.

After Yurochkin, Agarwal, Ghosh, Greenewald, Hoang and Khazaeni, "Bayesian Nonparametric Federated Learning of Neural
Networks", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "digits", "partition": "dirichlet-classes", "concentration": 0.5, "test_count": 500},
    "experts": {"model": "mlp", "count": 5, "hidden": [50], "epochs": 20},
    "network": {"topology": "ring"},
    "fusion": {"rule": "pfnm"},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("pfnm-digits")
