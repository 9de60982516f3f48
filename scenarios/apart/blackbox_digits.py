"""Handwritten digits of ten owners: classifiers of several kinds pool their probabilities by answering queries.

Forests, logistic regressions, nearest neighbours and networks are trained apart on the digits of scikit-learn, each on
a hundred rows. Nobody opens a model: its class probabilities at a query are all that it says. Classes need no climb:
log probabilities are added up along a ring, once, and their geometric mean is the prediction (`fusion.uncertainty =
"gpoe"`). One round is one communication round.

Compare with `--set fusion.uncertainty=product` or `mixture` (the average of probabilities), `--set
fusion.rule=ensemble`, `median`, `stacking`, `best` and `pooled`. `--set data.partition=dirichlet-classes` deals the
classes unevenly: most owners have then never seen some, and are sure that they do not occur, which products take at
their word; the average does not.

After Hoang, Hoang, Low and Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {
        "source": "digits",
        "test_count": 500,
        "labelled_count": 50,
        "unlabelled_count": 200,
    },
    "experts": {"model": "mixed", "count": 10, "models": ["forest", "logistic", "nearest", "mlp"]},
    "network": {"topology": "ring"},
    "fusion": {"rule": "cigar", "rounds_per_step": 1},
    "run": {"rounds": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("blackbox-digits")
