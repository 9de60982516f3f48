"""Newcomers with 5, 20 or 100 images refit the output layer of a network that was fused from those of five owners.

Owners train small networks on 160 digits each, and PFNM fuses them. A newcomer keeps the hidden layer and fits an
output layer to its own images with the fused one as its prior mean, as `coolgp.personalise` does. Its task is as the
owners' ("alike"); so, and each owner has mostly a few of the digits ("skewed"); every digit is called by another's name
("renamed"); or images have rows and columns exchanged ("transposed"). Beside it: a head on the same features without
that prior, by evidence and by logistic regression; the fused network as it is; the ensemble and the best of the owners'
networks; and, of the images alone, a network and logistic regression.

`--set heads.source=mnist` takes larger digits (minutes), `--set heads.situations=[renamed]` one situation alone.
"""

KIND = "heads"

SETTINGS = {
    "heads": {"source": "digits", "examples": [5, 20, 100]},
    "run": {"repeats": 5},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("personalise-networks")
