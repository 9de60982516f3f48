"""Stations that fitted sparse Gaussian processes apart: their inducing inputs are matched and the evidence adds up.

Each of 20 stations on the unit square observes a random field around itself and fits a sparse Gaussian process to its
own 400 rows, with 30 inducing inputs and hyper-parameters of its own; alone it knows nothing of the rest of the square.
Inducing inputs and hyper-parameters are handed on along a spanning tree and everybody matches them alike, as SPAHM
does. What each station's rows say of the function there, its evidence, then adds up along the same tree. No row leaves
its station, and none is needed again.

`--set fusion.form=published` matches pairs of inducing input and response, and predicts from the matched pairs. Compare
with `--set fusion.rule=alone`, `ensemble`, `best` and `pooled`, one sparse Gaussian process of all rows; `--set
experts.inducing=100` gives it, and everybody, more inducing inputs. `--set fusion.via=consensus` averages with
neighbours in place of the tree.

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019; the evidence in place of its pairs is this project's.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "field", "observations": 8_000},
    "experts": {"model": "sparse-gp", "count": 20, "inducing": 30},
    "network": {"topology": "geometric"},
    "fusion": {"rule": "spahm"},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-gp-field")
