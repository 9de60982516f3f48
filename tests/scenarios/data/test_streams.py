"""Observations that are drawn as they are read: the same for any partition and at any time, of the field they say."""

import numpy as np
import pytest

from coolgp.agents.batches import gathered
from coolgp.network.graphs.generate import generate
from coolgp.network.partition import partition
from coolgp.network.sharding import build_shard
from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset, Numbered
from coolgp.scenarios.data.functions import draw_function
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.data.sensors import Sensing, sensors
from coolgp.scenarios.data.surface import surface_of

AGENTS, ROWS, SEED = 2100, 7, 5
SCALER = Scaler(np.array([0.4, 0.6]), np.array([0.3, 0.2]), 0.1, 1.5)
PLAIN = Scaler(np.zeros(2), np.ones(2), 0.0, 1.0)


@pytest.fixture(scope="module")
def field() -> Dataset:
    return sensors(SEED, AGENTS)


def batches(field: Dataset, ranks: int, turn: int, scaler: Scaler = SCALER) -> tuple[np.ndarray, np.ndarray]:
    """What all agents read in a round, `x [N,B,2]` and `y [N,B]`, put together from this many shards."""
    topology = generate("geometric", AGENTS, 0, field.positions)
    x, y = np.full((AGENTS, ROWS, 2), np.nan), np.full((AGENTS, ROWS), np.nan)
    for rank in range(ranks):
        shard = build_shard(topology, partition(topology, ranks), rank)
        batch = field.training.stream(shard, scaler, ROWS, SEED).batch(turn)[:]
        assert (batch.mask == 1).all()
        x[shard.agents], y[shard.agents] = batch.x, batch.y
    return x, y


@pytest.mark.parametrize("ranks", [2, 3])
def test_what_agents_read_does_not_depend_on_the_number_of_ranks(field: Dataset, ranks: int) -> None:
    for one, other in zip(batches(field, 1, 4), batches(field, ranks, 4), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_round_is_the_same_whenever_it_is_asked_for_and_no_other_round(field: Dataset) -> None:
    shard = build_shard(generate("ring", AGENTS, 0), np.zeros(AGENTS, dtype=np.int64), 0)
    stream = field.training.stream(shard, SCALER, ROWS, SEED)
    third, first, again = stream.batch(3)[:], stream.batch(1)[:], stream.batch(3)[:]
    np.testing.assert_array_equal(third.x, again.x)
    np.testing.assert_array_equal(third.y, again.y)
    assert not np.isin(first.y, third.y).any()


def test_a_batch_made_at_once_or_a_few_agents_at_a_time_or_in_any_order_is_one(field: Dataset) -> None:
    shard = build_shard(generate("ring", AGENTS, 0), np.zeros(AGENTS, dtype=np.int64), 0)
    batch = field.training.stream(shard, SCALER, ROWS, SEED).batch(2)
    picked = np.random.default_rng(0).permutation(AGENTS)[:50]
    whole, some, part = gathered(batch, AGENTS), batch[picked], batch[700:1003]
    for name in ("x", "y", "mask"):
        np.testing.assert_array_equal(getattr(batch[:], name), getattr(whole, name), strict=True)
        np.testing.assert_array_equal(getattr(some, name), getattr(whole, name)[picked], strict=True)
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[700:1003], strict=True)


def test_readings_are_of_the_field_near_their_sensors_with_the_noise_asked_for(field: Dataset) -> None:
    assert isinstance(field.training, Sensing)
    assert field.positions is not None
    x, y = batches(field, 1, 0, PLAIN)
    exact = draw_function(SEED, "sensors function", 2)(x.reshape(-1, 2) / 0.15).reshape(y.shape)
    count = y.size
    assert x.min() >= 0
    assert x.max() <= 1
    assert (y - exact).mean() == pytest.approx(0, abs=5 * 0.1 / np.sqrt(count))  # five standard errors
    assert (y - exact).std() == pytest.approx(0.1, abs=5 * 0.1 / np.sqrt(2 * count))
    inner = (np.abs(field.positions - 0.5) < 0.1).all(axis=1)  # nothing is reflected there
    steps = (x - field.positions[:, None])[inner]
    assert steps.std() == pytest.approx(0.1, abs=5 * 0.1 / np.sqrt(2 * steps.size))


def test_batches_are_scaled_as_the_pilot_says(field: Dataset) -> None:
    plain, scaled = batches(field, 1, 2, PLAIN), batches(field, 1, 2)
    np.testing.assert_array_equal(scaled[0], SCALER.inputs(plain[0]))
    np.testing.assert_array_equal(scaled[1], SCALER.target(plain[1]))


def test_the_pilot_is_drawn_from_all_over_the_field(field: Dataset) -> None:
    x, y, _ = field.training.pilot(3000, SEED)
    again = field.training.pilot(3000, SEED)
    assert np.array_equal(x, again[0])
    assert np.array_equal(y, again[1])
    cells = np.unique((x * 5).astype(int), axis=0)
    assert len(cells) == 25
    exact = draw_function(SEED, "sensors function", 2)(x / 0.15)
    assert (y - exact).std() == pytest.approx(0.1, abs=5 * 0.1 / np.sqrt(2 * len(y)))


@pytest.mark.parametrize("lengthscale", [0.15, 0.4])
def test_a_tabulated_function_is_the_function_to_a_millionth(lengthscale: float) -> None:
    u, rng = draw_function(3, "law", 2, features=300), np.random.default_rng(0)
    x = rng.uniform(0, 1, (4000, 2))
    x[:400, 0], x[400:800, 1] = 0, 1  # no worse at the edges
    x[800:900] = np.rint(x[800:900])
    exact = np.cos(x / lengthscale @ u.frequency + u.phase) @ u.weight
    assert np.abs(surface_of(u, lengthscale)(x) - exact).max() < 1e-6


def test_other_sensors_are_told_from_these(field: Dataset) -> None:
    def identity(data: Dataset) -> bytes:
        return b"".join(part.tobytes() for part in data.training.identity())

    assert identity(sensors(SEED, AGENTS)) == identity(field)
    others = [sensors(SEED + 1, AGENTS), sensors(SEED, AGENTS, 0.2), sensors(SEED, AGENTS, spread=0.2)]
    assert len({identity(data) for data in (field, *others)}) == 4


def test_data_without_end_are_not_run_to_their_end() -> None:
    scenario = Scenario.model_validate({"name": "s", "data": {"source": "sensors"}, "run": {"rounds": "all"}})
    with pytest.raises(ConfigError, match=r's: run\.rounds: .* without end: needed a number of rounds; got "all"'):
        load(scenario)


@pytest.mark.parametrize("key", ["observations", "test_count", "first_agent_rows"])
def test_keys_that_sensors_have_no_use_for_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match='not for "sensors"'):
        Scenario.model_validate({"name": "s", "data": {"source": "sensors", key: 10}})


def test_a_sensor_for_each_agent_is_needed(field: Dataset) -> None:
    with pytest.raises(DataError, match=r"positions: needed shape \(3, 2\), got \(2100, 2\)"):
        Dataset(field.training, field.x_test, field.y_test, ("a", "b"), "y", ("0", "1", "2"))
    with pytest.raises(DataError, match="needed 2 on a surface, got 1"):
        Dataset(field.training, field.x_test[:, :1], field.y_test, ("a",), "y", field.agents)


def test_numbered_names_are_those_of_a_tuple() -> None:
    names, plain = Numbered(12), tuple(map(str, range(12)))
    assert names == plain
    assert plain == names
    assert tuple(names) == plain
    assert (names[3], names[-1], names[np.int64(5)], names[2:9:3]) == ("3", "11", "5", plain[2:9:3])
    assert names.index("7") == plain.index("7")
    assert names != plain[:-1]
    assert names != ("a", *plain[1:])
    assert (Numbered(12) == names, Numbered(11) == names, len({names, Numbered(12)})) == (True, False, 1)
    for stranger in ("12", "-1", "07", "٣", "x", 3):
        assert stranger not in names
    with pytest.raises(ValueError, match="numbered 0 to 11"):
        names.index("12")
    with pytest.raises(IndexError):
        names[12]
