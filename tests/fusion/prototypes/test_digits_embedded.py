"""Laws of the published embedding on digits: its training, concepts and styles, and accuracy over partitions."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from coolgp import TaskAgnosticFusion
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.normals import drawn, halves
from coolgp.fusion.prototypes.embedding.records import Records, records_of
from coolgp.fusion.prototypes.embedding.training import Critic, Terms, Training, trained

from tests.fusion.prototypes.digits import IMAGES, LABELS, Case

NETS = Architecture(inputs=64, classes=10, descriptor=10)


def records(case: Case) -> Records:
    """What two experts answer about 1,000 rows."""
    pool = IMAGES[np.concatenate([case.pool, case.training[:500]])]
    answers, tau = np.zeros((2, len(pool), 10)), np.zeros((2, 10))
    for of_one, descriptor, expert in zip(answers, tau, case.experts, strict=True):
        of_one[:, expert.classes_], descriptor[expert.classes_] = expert.predict_proba(pool), 1.0
    return records_of(pool, answers, tau)


def history(given: Records, epochs: int, critic: Critic) -> tuple[NDArray[np.float64], list[Terms]]:
    start = NETS.initial(np.random.default_rng(0))
    return trained(start, NETS, given, Training(epochs=epochs, critic=critic), np.random.default_rng(1))


def entropy(given: Records) -> float:
    """Of the mean answer: what a critic loses that learns nothing from styles."""
    mean = given.eta.mean(axis=0)
    return float(-np.log(mean + 1e-12) @ mean)


@pytest.fixture(scope="module")
def embedded() -> tuple[Records, NDArray[np.float64], list[Terms]]:
    given = records(Case(31))
    return given, *history(given, 40, "rival")


def test_the_critic_as_printed_leaves_all_bounds_within_three_epochs() -> None:
    given = records(Case(31))
    _, terms = history(given, 3, "printed")
    assert terms[-1].critic < -1.25 * entropy(given)


@pytest.mark.slow
def test_the_critic_as_a_rival_stays_within_what_knows_nothing_of_answers(embedded: Any) -> None:
    given, _, terms = embedded
    critics = np.array([each.critic for each in terms[10:]])
    assert ((critics >= -1.25 * entropy(given)) & (critics <= 0.0)).all()


@pytest.mark.slow
def test_digits_are_drawn_again_within_24_nats(embedded: Any) -> None:
    terms = embedded[2]
    assert terms[-1].reconstruction > -24.0 > terms[0].reconstruction


@pytest.mark.slow
def test_a_concept_is_a_digit_and_a_style_is_not(embedded: Any) -> None:
    """Measured for two partitions: .97 of styles keep the digit of a concept, .21 of concepts that of a style."""
    given, numbers, _ = embedded
    reader, random = LogisticRegression(max_iter=500).fit(IMAGES, LABELS), np.random.default_rng(2)
    mean, log_variance, _ = halves(NETS.forward(numbers, "prior", given.tau[:1])[0])
    kept: dict[str, list[float]] = {"concept": [], "style": []}
    for _ in range(40):
        concepts, styles = random.normal(size=(30, 5)), drawn(mean, log_variance, random.normal(size=(30, 2)))
        one_concept, one_style = concepts[:1].repeat(30, axis=0), styles[:1].repeat(30, axis=0)
        for name, pairs in (("concept", (styles, one_concept)), ("style", (one_style, concepts))):
            labels = reader.predict(expit(NETS.forward(numbers, "decoder", *pairs)[0]))
            kept[name].append(np.bincount(labels).max() / len(labels))
    assert np.mean(kept["concept"]) > 0.8 > 0.5 > np.mean(kept["style"])


def accuracy(case: Case, shots: int, **settings: Any) -> float:
    examples, fusion = case.shots(shots), TaskAgnosticFusion("embedding", **settings)
    task = fusion.fit(case.experts, IMAGES[case.pool]).adapt(IMAGES[examples], LABELS[examples])
    return float((task.predict(IMAGES[case.test]) == LABELS[case.test]).mean())


@pytest.mark.slow
def test_known_digits_are_told_apart_without_adaptation_over_partitions() -> None:
    cases = [Case(seed, seen=True) for seed in range(40, 44)]
    still = {"form": "lambda", "step_rate": 1e-12}  # styles stay at their prior
    assert np.mean([accuracy(case, 1, **still) for case in cases]) >= 0.75


@pytest.mark.slow
@pytest.mark.parametrize("shots, least", [(1, 0.70), (5, 0.85)])
def test_new_digits_are_told_apart_by_all_nets_over_partitions(shots: int, least: float) -> None:
    assert np.mean([accuracy(Case(seed), shots) for seed in range(50, 55)]) >= least


def test_the_sum_of_experts_guesses_digits_that_nobody_knows() -> None:
    found = []
    for case in (Case(seed) for seed in range(50, 60)):
        sums = np.zeros((len(case.test), 10))
        for expert in case.experts:
            sums[:, expert.classes_] += expert.predict_proba(IMAGES[case.test])
        ties = 1e-9 * case.random.random((len(sums), 2))
        found.append((case.task[(sums[:, case.task] + ties).argmax(axis=1)] == LABELS[case.test]).mean())
    assert abs(np.mean(found) - 0.5) < 0.1
