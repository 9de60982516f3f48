"""Laws of evidence: a commutative group that survives packing."""

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.statistics import Evidence, packed_length

from tests.oracle import BASES, LAYOUTS, build_model, draw, informed, start


def evidence(seed: int, *lead: int, size: int = 6) -> Evidence:
    """Whole numbers, so that sums are exact."""
    rng = np.random.default_rng(seed)
    half = rng.integers(-9, 9, (*lead, size, size)).astype(float)
    scalars = (rng.integers(1, 99, lead).astype(float) for _ in range(2))
    return Evidence(half + half.swapaxes(-1, -2), rng.integers(-9, 9, (*lead, size)).astype(float), *scalars)


def assert_equal(one: Evidence, other: Evidence, rtol: float = 0.0) -> None:
    for name in ("precision", "shift", "square", "count"):
        actual, expected = getattr(one, name), getattr(other, name)
        atol = rtol * np.abs(expected).max(initial=0)
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)], ids=str)
def test_addition_is_commutative(lead):
    assert_equal(evidence(1, *lead) + evidence(2, *lead), evidence(2, *lead) + evidence(1, *lead))


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)], ids=str)
def test_addition_is_associative(lead):
    a, b, c = (evidence(seed, *lead) for seed in (1, 2, 3))
    assert_equal((a + b) + c, a + (b + c))


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)], ids=str)
def test_subtraction_undoes_addition(lead):
    assert_equal(evidence(1, *lead) + evidence(2, *lead) - evidence(2, *lead), evidence(1, *lead))


@pytest.mark.parametrize("lead", [(), (4,), (2, 3), (0,)], ids=str)
def test_unpacking_undoes_packing(lead):
    assert_equal(Evidence.unpack(evidence(1, *lead).pack(), 6), evidence(1, *lead))


def test_packing_undoes_unpacking():
    packed = np.random.default_rng(0).normal(size=(3, packed_length(6)))
    np.testing.assert_array_equal(Evidence.unpack(packed, 6).pack(), packed)


def test_packing_is_linear():
    a, b = evidence(1, 4), evidence(2, 4)
    np.testing.assert_array_equal((a + b).pack(), a.pack() + b.pack())


def test_agents_are_picked_alike_from_every_field():
    many, picked = evidence(1, 5), np.array([3, 0])
    assert_equal(Evidence.unpack(many.pack()[picked], 6), many[picked])


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["transport", "stale", "importance"])
class TestBatches:
    """What observing means, whatever the basis, layout and encoding."""

    def test_the_order_of_batches_does_not_matter(self, basis, layout, encoding):
        model, batches = build_model(basis, layout, encoding), [draw(3, 9, seed) for seed in range(4)]
        one = informed(model, start(model), *batches).evidence()
        assert_equal(informed(model, start(model), *batches[::-1]).evidence(), one, rtol=1e-12)

    def test_a_batch_says_what_its_halves_say(self, basis, layout, encoding):
        model, batch = build_model(basis, layout, encoding), draw(3, 9)
        halves = [Batch(batch.x[:, rows], batch.y[:, rows], batch.mask[:, rows]) for rows in (np.s_[:4], np.s_[4:])]
        first, second = (informed(model, start(model), half).evidence() for half in halves)
        assert_equal(first + second, informed(model, start(model), batch).evidence(), rtol=1e-12)

    def test_an_empty_batch_says_nothing(self, basis, layout, encoding):
        model, batch = build_model(basis, layout, encoding), draw(3, 9)
        nothing = Batch(batch.x, batch.y, np.zeros_like(batch.mask))
        assert not informed(model, start(model), nothing).evidence().pack().any()
        rowless = Batch(batch.x[:, :0], batch.y[:, :0], batch.mask[:, :0])
        assert not informed(model, start(model), rowless).evidence().pack().any()

    def test_masked_rows_do_not_leak(self, basis, layout, encoding):
        model, batch = build_model(basis, layout, encoding), draw(3, 9)
        hidden = batch.mask == 0
        other = Batch(np.where(hidden[..., None], 1e2, batch.x), np.where(hidden, -1e8, batch.y), batch.mask)
        assert_equal(informed(model, start(model), other).evidence(), informed(model, start(model), batch).evidence())

    def test_a_batch_does_not_leak_to_other_agents(self, basis, layout, encoding):
        model, batch = build_model(basis, layout, encoding), draw(3, 9)
        other = Batch(batch.x.copy(), batch.y.copy(), batch.mask.copy())
        other.x[1], other.y[1], other.mask[1] = 0.3, -5.0, 1.0
        one, two = (informed(model, start(model), b).evidence() for b in (batch, other))
        assert_equal(two[np.array([0, 2])], one[np.array([0, 2])])
        assert np.abs(two.precision[1] - one.precision[1]).max() > 0.1

    def test_observations_are_counted(self, basis, layout, encoding):
        model, batch = build_model(basis, layout, encoding), draw(3, 9)
        pooled = informed(model, start(model), batch, batch).evidence()
        np.testing.assert_array_equal(pooled.count, 2 * batch.mask.sum(1))

    def test_blocks_of_agents_say_what_all_say(self, basis, layout, encoding):
        model = build_model(basis, layout, encoding)
        population = informed(model, start(model), draw(5, 9))
        for block in (slice(0, 2), slice(2, 5), np.array([4, 1])):
            assert_equal(population.evidence(block), population.evidence()[block], rtol=1e-14)


def test_a_batch_of_unequal_shapes_is_refused():
    with pytest.raises(ValueError, match=r"got \(2, 3, 1\), \(2, 4\) and \(2, 3\)"):
        Batch(np.zeros((2, 3, 1)), np.zeros((2, 4)), np.zeros((2, 3)))


def test_clipping_leaves_what_data_could_say_and_mends_what_they_could_not():
    indefinite = evidence(1, 5)
    clipped = indefinite.clipped()
    assert np.linalg.eigvalsh(indefinite.precision).min() < -1
    assert np.linalg.eigvalsh(clipped.precision).min() > -1e-12
    assert_equal(clipped.clipped(), clipped, rtol=1e-12)
    np.testing.assert_allclose(clipped.precision, clipped.precision.swapaxes(-1, -2), rtol=1e-12, atol=1e-12)


def test_clipping_one_agent_leaves_the_others_to_the_bit():
    precision = evidence(1, 4).precision
    precision[:3] = precision[:3] @ precision[:3].swapaxes(-1, -2)  # no direction is negative but for the last agent's
    one_negative = evidence(1, 4)
    one_negative = Evidence(precision, one_negative.shift, one_negative.square, one_negative.count)
    np.testing.assert_array_equal(one_negative.clipped().precision[:3], precision[:3])
    assert (one_negative.clipped().precision[3] != precision[3]).any()


def test_clipping_takes_the_shift_out_of_directions_that_lose_their_precision():
    precision, shift = np.diag([4.0, -1.0])[None], np.array([[8.0, 5.0]])
    clipped = Evidence(precision, shift, np.ones(1), np.ones(1)).clipped()
    np.testing.assert_allclose(clipped.precision, np.diag([4.0, 0.0])[None], atol=1e-15)
    np.testing.assert_allclose(clipped.shift, [[8.0, 0.0]], atol=1e-15)
