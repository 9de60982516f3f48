"""States of hidden Markov models that two groups fitted apart, matched so that both name them alike (needs hmmlearn).

Two groups record three sequences each of 12 channels. They have eight states in common and three each of their own;
the mean of a state in a group is a noisy copy of a common one. Each group fits a Gaussian hidden Markov model to its
own sequences and decodes its states. SPAHM matches the means of the states, and the paths get global names. They are
compared with the true ones, beside greedy matching, k-means, local names, and one model of all sequences.

`--set vectors.states=13` fits more states than a group has, `--set vectors.covariance=diag` diagonal covariances.
The file `matched-1.npz` has the matched states of the first draw at the first noise, with their covariances.

After Yurochkin, Agarwal, Ghosh, Greenewald and Hoang, "Statistical Model Aggregation via Parameter Matching", NeurIPS
2019, section 4.3. Its motion capture and HDP-HMMs are replaced by drawn sequences and hmmlearn's Gaussian HMMs.
"""

KIND = "vectors"

SETTINGS = {
    "vectors": {"source": "hidden-states", "noise": [0.1, 0.5, 1.0, 2.0]},
    "run": {"repeats": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("spahm-hmm")
