"""Ten models of one disease, each of 30 patients and of its own kind, agree on predictions by answering queries alone.

Gaussian processes, forests, linear models, support vectors and networks are trained apart on the diabetes data of
scikit-learn. Nobody opens a model: every expert answers how likely values of the target are at an input, and along a
ring of agents they climb the product of all their predictive distributions (CIGAR). One round is one communication
round, so the figure of costs shows how error and disagreement fall with rounds, queries and bytes.

`--set fusion.step=published` takes the steps of the paper, `--set fusion.rounds_per_step=converge --set run.rounds=1`
goes to the end at once. `--set fusion.uncertainty=product` (or `mixture`) shows other intervals. Compare with `--set
fusion.rule=ensemble` (the average), `median`, `poe`, `gpoe`, `rbcm`, `stacking`, `best` and `pooled`; the study
`blackbox-baselines` has all of them. `--set experts.models=['gp']` gives everybody one kind.

After Hoang, Hoang, Low and Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019. Twenty
patients with targets and 87 inputs without are set aside for rules that need some.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "diabetes", "test_count": 35, "labelled_count": 20, "unlabelled_count": 87},
    "experts": {"model": "mixed", "count": 10, "models": ["gp", "forest", "ridge", "svr", "mlp"]},
    "network": {"topology": "ring"},
    "fusion": {"rule": "cigar", "rounds_per_step": 1},
    "run": {"rounds": 30},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("blackbox-diabetes")
