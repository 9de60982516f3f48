"""Laws of inducing inputs that each agent chose for itself, and of their evidence carried into common ones."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from coolgp.agents.encoding import Transport
from coolgp.agents.features.inducing import own_centres
from coolgp.agents.model import Model
from coolgp.agents.own_inputs import OwnInputs, predict_alone
from coolgp.agents.prediction import predict

from tests.oracle import QUERIES, Dense, build_model, dense, draw, informed, kernel, pooled, rows_of, solve, start

AGENTS, OWN = 4, 7
RNG = np.random.default_rng(8)
CENTRES = RNG.uniform(-1, 1, (AGENTS, 1, 2))
INPUTS = CENTRES + RNG.uniform(-1.2, 1.2, (AGENTS, OWN, 2))
BATCH = draw(AGENTS, 12)


def apart(model: Model, inputs: np.ndarray = INPUTS) -> Model:
    return replace(model, encoding=OwnInputs(inputs))


@dataclass(frozen=True)
class Carrying(Dense):
    """An agent with inducing inputs of its own, whose ``f(Z_a)`` is read as ``K(Z_a, Z) K(Z, Z)⁻¹ f(Z)``.

    Points and hyper-parameters are the common ones at the time of reading, ``own`` those when rows were observed.
    """

    own: Dense | None = None
    inputs: np.ndarray | None = None

    def weights(self, x: np.ndarray) -> np.ndarray:
        across = kernel(self.inputs @ self.projection.T, self.points, self.kernel)
        return self.own.weights(x) @ solve(self.inducing_kernel, across.T).T


def carrying(model: Model, agent: int, observed: np.ndarray, read: np.ndarray) -> Carrying:
    """An agent that observed under hyper-parameters ``[K]`` and is read under others."""
    alone = replace(model, basis=replace(model.basis, inducing=INPUTS[agent]))
    return Carrying(**vars(dense(model, read)), own=dense(alone, observed), inputs=INPUTS[agent])


def of_agent(agent: int) -> tuple[np.ndarray, np.ndarray]:
    return rows_of(BATCH[agent : agent + 1])


@pytest.mark.parametrize("of", ["se", "matern32", "matern52"])
@pytest.mark.parametrize("layout", ["diagonal", "full"])
def test_the_sum_of_carried_evidence_predicts_as_the_formulas_say(of, layout):
    model = build_model("function", layout, kernel=of)
    theta = start(model)
    population = informed(apart(model), theta, BATCH)
    packed = population.evidence()
    everyone = replace(packed, **{name: values.sum(0, keepdims=True) for name, values in vars(packed).items()})
    fused = predict(model, theta[None], everyone, QUERIES)
    said = [(carrying(model, agent, theta, theta), *of_agent(agent)) for agent in range(AGENTS)]
    mean, variance = pooled(said, dense(model, theta), QUERIES)
    np.testing.assert_allclose(fused.mean[0], mean.astype(float), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(fused.variance[0], variance.astype(float), rtol=1e-8)


def test_sums_stay_about_the_function_when_hyperparameters_move():
    model = build_model("function")
    before, after = start(model), start(model, (1.3, 0.8), 1.7, 0.1)
    observed = informed(apart(model), before, BATCH)
    moved = replace(observed, theta=np.broadcast_to(after, observed.theta.shape))
    for agent, evidence in enumerate(moved.evidence()[[place]] for place in range(AGENTS)):
        carried = predict(model, after[None], evidence, QUERIES)
        said = [(carrying(model, agent, before, after), *of_agent(agent))]
        mean, variance = pooled(said, dense(model, after), QUERIES)
        np.testing.assert_allclose(carried.mean[0], mean.astype(float), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(carried.variance[0], variance.astype(float), rtol=1e-7)


def test_an_agent_alone_predicts_as_the_dense_process_at_its_own_inputs():
    model = build_model("function")
    theta = np.stack([start(model, (1.0 + 0.1 * agent, 1.0)) for agent in range(AGENTS)])
    population = informed(apart(model), theta, BATCH)
    alone = predict_alone(population, np.arange(AGENTS), QUERIES)
    for agent in range(AGENTS):
        own = dense(replace(model, basis=replace(model.basis, inducing=INPUTS[agent])), theta[agent])
        mean, variance = own.predict(*of_agent(agent), QUERIES)
        np.testing.assert_allclose(alone.mean[agent], mean.astype(float), rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(alone.variance[agent], variance.astype(float), rtol=1e-8)
        assert alone.noise_variance[agent] == pytest.approx(float(own.noise))


@pytest.mark.parametrize("layout", ["diagonal", "full"])
def test_agents_that_all_chose_the_common_inputs_say_what_they_say_without_a_choice(layout):
    model = build_model("function", layout)
    theta = np.stack([start(model, (1.0, 1.0 + 0.2 * agent)) for agent in range(AGENTS)])
    same = apart(model, np.broadcast_to(model.basis.inducing, (AGENTS, *model.basis.inducing.shape)))
    one, other = informed(same, theta, BATCH), informed(model, theta, BATCH)
    np.testing.assert_allclose(one.packed(slice(None)), other.packed(slice(None)), rtol=1e-9, atol=1e-9)
    every = np.arange(AGENTS)
    np.testing.assert_allclose(
        predict_alone(one, every, QUERIES).mean, predict_alone(other, every, QUERIES).mean, rtol=1e-9, atol=1e-12
    )


def test_what_an_agent_says_does_not_depend_on_who_is_asked_with_it():
    model = build_model("function")
    population = informed(apart(model), start(model), BATCH)
    together, some = population.packed(slice(None)), population.packed(np.array([2, 0]))
    np.testing.assert_array_equal(some, together[[2, 0]])
    np.testing.assert_array_equal(population.packed(slice(3, 4)), together[3:])
    every, asked = (predict_alone(population, agents, QUERIES) for agents in (slice(None), np.array([2, 0])))
    np.testing.assert_array_equal(asked.mean, every.mean[[2, 0]])
    np.testing.assert_array_equal(asked.variance, every.variance[[2, 0]])


def test_batches_that_wait_are_counted_as_those_in_the_sums():
    model = build_model("function")
    waiting = replace(informed(apart(model), start(model), BATCH), waiting=(draw(AGENTS, 5, 3),))
    folded = informed(apart(model), start(model), BATCH, draw(AGENTS, 5, 3))
    np.testing.assert_allclose(waiting.packed(slice(None)), folded.packed(slice(None)), rtol=1e-12, atol=1e-12)


def test_sums_are_as_long_as_an_agents_own_inputs_and_messages_as_the_common_ones():
    model = apart(build_model("function"))
    population = informed(model, start(model), BATCH)
    assert population.statistics.inducing == OWN
    assert population.evidence().shift.shape == (AGENTS, model.inducing)
    assert model.encoding.alone(model).encoding == Transport()


SHARED = np.random.default_rng(3).uniform(-2, 2, (40, 2))


def test_an_agent_with_few_rows_takes_all_of_them_and_the_shared_rows_closest_to_them():
    own = np.array([[0.1, 0.2], [0.1, 0.2], [1.0, -1.0]])
    chosen = own_centres(own, np.concatenate([SHARED, own]), 8, np.random.default_rng(0))
    distances = np.linalg.norm(SHARED[:, None] - own, axis=-1).min(axis=1)
    expected = np.concatenate([np.unique(own, axis=0), SHARED[np.argsort(distances)[:6]]])
    assert {tuple(row) for row in chosen} == {tuple(row) for row in expected}


def test_an_agent_without_rows_takes_the_first_shared_ones():
    np.testing.assert_array_equal(own_centres(SHARED[:0], SHARED, 5, np.random.default_rng(0)), SHARED[:5])


def test_an_agent_with_many_rows_takes_none_of_others():
    own = np.random.default_rng(1).uniform(0, 1, (60, 2))
    one, other = (own_centres(own, rows, 9, np.random.default_rng(4)) for rows in (SHARED, SHARED[:0]))
    np.testing.assert_array_equal(one, other)
    assert len(np.unique(one, axis=0)) == 9
    assert (one >= own.min(axis=0)).all()
    assert (one <= own.max(axis=0)).all()


def test_own_and_shared_rows_that_are_too_few_together_are_refused():
    with pytest.raises(ValueError, match=r"7 inducing inputs need as many distinct rows, .* together; there are 5"):
        own_centres(SHARED[:3], SHARED[:5], 7, np.random.default_rng(0))
