"""What agreement costs: error and disagreement of ten black boxes against rounds, queries and bytes, on diabetes.

CIGAR as it was published climbs by random forward differences, each expert with draws of its own, and moves by the sign
of the sum in units of the target: 40 moves go 11.27 units, however far agents are apart, here some 100. So agents get
closer and never agree. The same answers with shared draws and steps in the scale of the summed curvature ("scale-free")
reach the product of experts, and Newton's steps by central differences are there with the first. COLBI imitates every
expert once, at 10, 25 or 87 inputs that were set aside, and then asks nobody any more: the more inputs, the closer it
comes to CIGAR, whose queries grow with the square of the number of experts.

Of the published curves the shape is compared, not the values: they divide each agent's error by its own largest, and
the released program starts every agent at its expert's prediction plus noise with a standard deviation of two units of
the target, which fusion then removes. On the diabetes data two units are little beside a spread of 77. On the protein
data of the same paper, where targets have a spread of 6, they may be most of the gain. Nothing is added here.

After Hoang, Hoang, Low and Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019.
"""

KIND = "experts"

SETTINGS = {
    "data": {
        "source": "diabetes",
        "test_count": 35,
        "labelled_count": 20,
        "unlabelled_count": 87,
        "standardize": False,
    },
    "experts": {"model": "mixed", "count": 10, "models": ["gp", "ridge"]},
    "network": {"topology": "ring"},
    "fusion": {"rule": "cigar", "rounds_per_step": 9},
    "run": {"rounds": 41},
}

GRID = {
    "rule": {
        "CIGAR, as published": {
            "fusion.estimator": "forward",
            "fusion.directions": "independent",
            "fusion.step": "published",
        },
        "CIGAR, scale-free": {"fusion.estimator": "forward", "fusion.step": "scale-free"},
        "CIGAR": {"fusion.step": "newton"},
        "COLBI, 10 inputs": {"fusion.rule": "colbi", "fusion.inputs": 10},
        "COLBI, 25 inputs": {"fusion.rule": "colbi", "fusion.inputs": 25},
        "COLBI, 87 inputs": {"fusion.rule": "colbi", "fusion.inputs": 87},
    },
    "run.seed": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
}

FIGURE = {
    "kind": "costs",
    "lines": "rule",
    "costs": {
        "communication_rounds": "communication rounds",
        "density_queries": "densities asked for",
        "bytes": "data sent",
    },
    "metric": "rmse",
    "ylabel": "RMSE",
    "title": "Ten models of diabetes that only answer queries",
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("blackbox-curves")
