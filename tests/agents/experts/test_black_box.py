"""Laws of experts that are used by queries alone: what is counted, remembered and refused."""

from pathlib import Path
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from skl2onnx import to_onnx
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Regressor
from coolgp.agents.experts.formats.files import read_model_file
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.agents.experts.queries.failure import ExpertFailed, QueriesUsedUp

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X @ [1.0, -2.0] + 0.3 * np.random.default_rng(1).normal(size=40)


class Stub:
    """A model that counts the rows that it is asked for, and remembers the largest call."""

    def __init__(self) -> None:
        self.rows, self.largest = 0, 0

    def count(self, rows: int) -> None:
        self.rows, self.largest = self.rows + rows, max(self.largest, rows)

    def moments(self, x):
        self.count(len(x))
        return x.sum(axis=1), 0.5 + np.square(x).sum(axis=1)

    def log_density(self, x, y):
        self.count(len(y))
        return norm.logpdf(y, x.sum(axis=1), 2.0)

    def start(self, x):
        self.count(len(x))
        return x.sum(axis=1)


tables = st.lists(st.lists(st.integers(0, 12), min_size=0, max_size=9), max_size=8)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(1, 12), st.integers(1, 5), st.booleans())
def test_a_cap_is_never_exceeded_and_what_is_counted_is_what_the_model_was_asked(calls, cap, batch, density) -> None:
    stub = Stub()
    model = DensityExpert("stub", stub.log_density, stub.start) if density else Regressor("stub", stub.moments)
    box = BlackBox(model, queries=cap, batch=batch)
    pairs = 0
    for call in calls:
        x = np.array(call, dtype=float).reshape(-1, 1)
        before = box.used
        try:
            box.predict(x)
            box.log_density(x, np.zeros((2, len(x))))
            pairs += 2 * len(x)
        except QueriesUsedUp:
            assert box.used >= before
        assert box.used == stub.rows <= cap
        assert stub.largest <= batch
    assert box.density_queries == pairs
    assert box.failure is None


def test_a_call_that_would_exceed_the_cap_asks_nothing() -> None:
    stub = Stub()
    box = BlackBox(Regressor("north", stub.moments), queries=30)
    with pytest.raises(QueriesUsedUp, match=r"north: needed 40 queries more, and 0 of 30 are used: .*\(queries\)"):
        box.predict(X)
    assert stub.rows == 0
    box.predict(X[:30])
    assert box.predict(X[:30])[0] == pytest.approx(X[:30].sum(axis=1))


def test_rows_are_asked_once_in_any_order_and_densities_at_them_cost_nothing() -> None:
    stub = Stub()
    box = BlackBox(Regressor("stub", stub.moments))
    mean, std = box.predict(X)
    order = np.random.default_rng(2).permutation(40).repeat(2)
    assert np.array_equal(box.predict(X[order])[0], mean[order])
    y = np.linspace(-3, 3, 5 * 3 * 40).reshape(5, 3, 40)
    assert box.log_density(X, y) == pytest.approx(norm.logpdf(y, mean, std), abs=1e-12)
    assert (box.used, stub.rows, box.density_queries) == (40, 40, 600)


def test_an_expert_of_densities_alone_is_asked_for_each_pair() -> None:
    stub = Stub()
    box = BlackBox(DensityExpert("stub", stub.log_density, stub.start))
    y = np.linspace(-3, 3, 2 * 3 * 40).reshape(2, 3, 40)
    expected = norm.logpdf(y, X.sum(axis=1), 2.0)
    for _ in range(2):
        assert box.log_density(X, y) == pytest.approx(expected, abs=1e-12)
    assert (box.used, stub.rows, box.density_queries) == (480, 480, 480)
    assert box.predict(X)[0] == pytest.approx(X.sum(axis=1))
    assert box.used == stub.rows == 520


def test_what_asks_the_view_of_an_expert_is_counted_too() -> None:
    gp = expert_of(GaussianProcessRegressor(alpha=0.1).fit(X, Y))
    box = BlackBox(gp)
    for answer, own in zip(box.expert.predict(X), gp.predict(X), strict=True):
        assert np.array_equal(answer, own)
    assert box.used == 40


def test_probabilities_are_remembered_and_their_logarithms_have_a_floor() -> None:
    shares = np.tile([0.0, 1.0], (40, 1))
    box = BlackBox(Classifier("sure", lambda x: shares[: len(x)], np.array(["no", "yes"])))
    assert box.log_probabilities(X)[0] == pytest.approx([np.log(1e-15), 0.0])
    assert box.log_probabilities(X, floor=0.1)[0] == pytest.approx([np.log(0.1), 0.0])
    assert (box.used, box.density_queries) == (40, 160)
    assert box.expert.predict_proba(X[:3]).tolist() == shares[:3].tolist()
    with pytest.raises(ValueError, match="sure: is a classifier; needed a regressor"):
        box.log_density(X, Y)


def test_a_point_predictor_has_a_density_once_its_residuals_are_known() -> None:
    model = KNeighborsRegressor(3).fit(X[:20], Y[:20])
    box = BlackBox(expert_of(model, "neighbours"))
    with pytest.raises(ValueError, match=r"neighbours: predicts no standard deviation, .* give std, or calibrate"):
        box.log_density(X, Y)
    mean = model.predict(X[20:])
    spread = box.calibrate(X[20:], Y[20:])
    assert spread == pytest.approx(np.sqrt(np.mean((Y[20:] - mean) ** 2)))
    assert box.log_density(X[20:], Y[20:]) == pytest.approx(norm.logpdf(Y[20:], mean, spread))
    assert box.used == 40
    with pytest.raises(ValueError, match="neighbours: needed rows that the model was not trained on"):
        box.calibrate(X[:3], model.predict(X[:3]))


def test_an_expert_that_states_standard_deviations_keeps_its_own_and_is_asked_for_one_row() -> None:
    box = BlackBox(expert_of(GaussianProcessRegressor(alpha=0.1).fit(X, Y)))
    assert box.calibrate(X, Y) is None
    assert (box.used, box.std) == (1, None)


def test_a_standard_deviation_of_0_is_no_failure_where_no_density_is_needed() -> None:
    mean, std = BlackBox(expert_of(lambda x: (x[:, 0], np.zeros(len(x)))), densities=False).predict(X)
    assert np.array_equal(mean, X[:, 0])
    assert not std.any()


def test_a_model_in_an_onnx_file_is_asked_like_any_other(tmp_path: Path) -> None:
    labels = np.array(["low", "high"])[(Y > 0).astype(int)]
    models = {"number": LinearRegression().fit(X, Y), "class": LogisticRegression().fit(X, labels)}
    for name, model in models.items():
        (tmp_path / f"{name}.onnx").write_bytes(to_onnx(model, X[:1].astype(np.float32)).SerializeToString())
    number, classes = (BlackBox(expert_of(read_model_file(tmp_path / f"{name}.onnx")), std=0.3) for name in models)
    assert number.log_density(X, Y) == pytest.approx(norm.logpdf(Y, models["number"].predict(X), 0.3), abs=1e-3)
    assert classes.log_probabilities(X) == pytest.approx(models["class"].predict_log_proba(X), abs=1e-3)
    assert (number.used, classes.used) == (40, 40)


def raises(x):
    raise RuntimeError("out of\ncoffee")


FAILURES = {
    "raises": (raises, r"raised RuntimeError \(out of coffee\)"),
    "hangs": (lambda x: sleep(0.3) or x[:, 0], r"gave no answer within 0\.05 s"),
    "NaN": (lambda x: x[:, 0] * np.nan, "predicts what is not finite for 40 rows"),
    "shape": (lambda x: x, r"needed a mean for each of 40 rows; got shape \(40, 2\)"),
    "std": (lambda x: (x[:, 0], np.zeros(len(x))), "needed finite standard deviations above 0 for all rows; got 0"),
    "some std": (lambda x: (x[:, 0], np.where(x[:, 0] > 0, 1.0, np.nan)), r"deviation that is not finite for \d+ rows"),
    "endless std": (lambda x: (x[:, 0], np.full(len(x), np.inf)), "deviation that is not finite for 40 rows"),
    "text": (lambda x: ["a"] * len(x), "could not convert string to float: 'a'"),
}
WRONG_SHARES = {
    "sum": (np.full((40, 2), 0.4), "probabilities that sum to one; got a sum of 0.8"),
    "negative": (np.tile([1.5, -0.5], (40, 1)), "at least 0; got -0.5"),
    "width": (np.full((40, 3), 1 / 3), "40 rows of 2 probabilities"),
}


@pytest.mark.parametrize(("model", "words"), FAILURES.values(), ids=FAILURES)
def test_an_expert_that_fails_is_named_with_the_reason_and_asked_no_more(model, words: str) -> None:
    asked = []

    def counting(x):
        asked.append(len(x))
        return model(x)

    box = BlackBox(expert_of(counting, "crooked"), time_limit=0.05)
    for _ in range(2):
        with pytest.raises(ExpertFailed, match=f"^crooked: .*{words}") as failed:
            box.predict(X)
        assert failed.value.name == "crooked"
        assert failed.value.reason == box.failure
    assert asked == [40]
    assert box.used == 40


@pytest.mark.parametrize(("shares", "words"), WRONG_SHARES.values(), ids=WRONG_SHARES)
def test_a_classifier_that_lies_is_named_with_the_reason(shares, words: str) -> None:
    box = BlackBox(Classifier("crooked", lambda x: shares, np.array([0, 1])))
    with pytest.raises(ExpertFailed, match=f"^crooked: .*{words}"):
        box.predict_proba(X)


def test_a_mistake_of_who_asks_puts_no_expert_out() -> None:
    box = BlackBox(expert_of(GaussianProcessRegressor(alpha=0.1).fit(X, Y), "gp"))
    with pytest.raises(ValueError, match=r"gp: needed x \[N, 2\]; got shape \(40, 1\)"):
        box.predict(X[:, :1])
    with pytest.raises(ValueError, match=r"gp: needed y \[..., 40\] for 40 rows; got shape \(3,\)"):
        box.log_density(X, Y[:3])
    assert box.failure is None
    with pytest.raises(ValueError, match="gp: needed queries above 0; got 0"):
        BlackBox(box.model, queries=0)
