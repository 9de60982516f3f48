"""Topics of handwritten digits that ten owners found in images of their own, matched by SPAHM: real vectors.

The digits that come with scikit-learn are dealt to ten owners, each class by Dirichlet shares with concentration 0.5,
and every owner's scanner adds noise to the pixels. Each owner finds 15 topics, the centres of k-means. SPAHM matches
the 150 centres; nobody knows how many topics there are in all. An image that was not seen before takes the digit of
its nearest topic. Compared are SPAHM with the variances that the centres are known to have, greedy matching, k-means of
the centres and a random choice of them, each with as many topics as SPAHM finds, all centres, the topics of an owner
alone, and k-means of all images, which no owner could do.

`--set vectors.topics=25` finds more topics, `--set vectors.concentration=100` gives all owners all digits.

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019: topics of books there, whose texts and word vectors do not come with a package.
"""

KIND = "vectors"

SETTINGS = {
    "vectors": {"source": "topics", "noise": [0.01, 0.2, 0.4]},
    "matching": {"per_dimension": False},
    "run": {"repeats": 5},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-topics")
