"""Laws of read-outs over draws: two estimates of one integral agree, and more styles vary less."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.fusion.prototypes.embedding.adaptation import Styles
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.forms import Embedded
from coolgp.fusion.prototypes.embedding.read_out import log_joint, log_joint_near, soft, vote

NETS = Architecture(inputs=6, classes=4, descriptor=4, style=2, concept=3, hidden=9)
WITHIN = np.array([True, False, True, True])


def embedding(concepts: NDArray[np.float64], seed: int = 1) -> Embedded:
    random = np.random.default_rng(seed)
    numbers = NETS.initial(random) + 0.1 * random.normal(size=NETS.places["critic"].stop)
    return Embedded(NETS, numbers, Styles(np.array([0.3, -0.2]), np.array([0.1, 0.4])), concepts)


def test_prior_and_importance_sampling_agree_within_four_standard_errors() -> None:
    random = np.random.default_rng(20)
    x, noise = random.random((5, 6)), random.normal(size=(2, 2))
    by_prior, near = [], []
    for _ in range(200):
        draws = random.normal(size=(50, 3))
        by_prior.append(np.exp(log_joint(embedding(draws), x, WITHIN, noise)) / 50)
        near.append(np.exp(log_joint_near(embedding(draws), x, WITHIN, noise, draws)) / 50)
    means, errors = zip(
        *((np.mean(e, axis=0), np.std(e, axis=0) / np.sqrt(200)) for e in (by_prior, near)), strict=True
    )
    assert (np.abs(means[0] - means[1]) <= 4.0 * np.hypot(*errors)).all()
    assert (np.hypot(*errors) < 0.05 * means[0]).all()  # close enough to tell a wrong weight


def test_importance_sampling_is_the_same_in_parts(monkeypatch: Any) -> None:
    random = np.random.default_rng(21)
    asked = embedding(np.ones((1, 3))), random.random((7, 6)), WITHIN, random.normal(size=(2, 2))
    draws = random.normal(size=(5, 3))
    whole = log_joint_near(*asked, draws)
    monkeypatch.setattr("coolgp.fusion.prototypes.embedding.read_out.CHUNK", 2 * 5 * 6)
    np.testing.assert_allclose(log_joint_near(*asked, draws), whole, rtol=1e-12)


def test_the_variance_of_a_mean_over_styles_falls_with_their_number() -> None:
    random, counts, total = np.random.default_rng(22), (2, 8, 32), 3200
    logs = random.normal(size=(total, 4, 3)) + 0.3 * random.normal(size=(4, 3))  # log G of drawn styles, [n, Q, C]
    wide = replace(embedding(random.normal(size=(20, 3))), styles=Styles(np.zeros(2), np.full(2, 3.0)))
    drawn = log_joint(wide, random.random((4, 6)), WITHIN, random.normal(size=(total, 2)))
    for read_out, each in ((vote, logs), (soft, logs), (soft, drawn)):
        spread = [
            np.var([read_out(part) for part in np.split(each, total // count)], axis=0).mean() for count in counts
        ]
        assert abs(np.polyfit(np.log(counts), np.log(spread), 1)[0] + 1.0) < 0.2
