"""Laws of what a run holds: a round in its steady state makes nothing of the population's size anew."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from coolgp.agents.batches import Batch, Deferred, map_batches
from coolgp.agents.statistics import packed_length
from coolgp.scenarios import scenario_named
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.rounds import simulate

AGENTS, INDUCING = 3000, 80
SENSORS = (
    f"agents.count={AGENTS}",
    f"agents.inducing={INDUCING}",
    "agents.batch_size=2",
    "agents.pilot=200",
    "agents.lengthscale=0.5",
    "agents.signal_variance=1.0",
    "agents.noise_variance=0.01",
    "agents.hyperparameters=fixed",
    "network.topology=random-regular",
    "run.probes=1",
    "run.rounds=4",
)
WAYS = {
    "tree": ("fusion.rule=tree", "fusion.rounds_per_step=converge"),
    "consensus": ("fusion.rule=consensus", "fusion.rounds_per_step=2"),
    "chebyshev": ("fusion.rule=chebyshev", "fusion.rounds_per_step=2"),
    "push-sum": ("fusion.rule=push-sum", "fusion.rounds_per_step=2"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_round_makes_no_array_of_the_populations_size(way: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a core's few columns of all agents, or few agents' rows, all memory is that of the rounds before."""
    monkeypatch.setenv("COOLGP_THREADS", "1")
    simulation = assemble(scenario_named("sensors", [*SENSORS, *way]))
    tracemalloc.start()
    try:
        with one_thread():
            rounds = simulate(simulation)
            step = [next(rounds), next(rounds)][-1]  # held as a caller holds the last one
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            step = next(rounds)
            peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert step.run_state.turn == 3
    assert peak < 0.2 * 8 * AGENTS * packed_length(INDUCING)


@pytest.mark.parametrize("cuts", [None, [7, 14, 21, 28, 30], [30]])
@pytest.mark.parametrize("width", [1, 5, 100])
def test_every_agents_rows_are_made_once_and_worked_on_in_order(cuts: list[int] | None, width: int) -> None:
    asked: list[slice] = []

    def make(agents: slice | np.ndarray) -> Batch:
        assert isinstance(agents, slice)
        asked.append(agents)
        x = np.arange(30.0)[agents][:, None, None]
        return Batch(x, x[..., 0], np.ones(x.shape[:2]))

    batch = Deferred(1, np.ones(30), make, None if cuts is None else np.array(cuts)).cast(np.dtype("float32"))
    size = 3 * 2**19 // width
    found = map_batches(lambda agents, rows: (agents, rows), [batch], 30, size)
    assert [agent for agents, _ in found for agent in range(agents.start, agents.stop)] == list(range(30))
    assert np.concatenate([rows.y[:, 0] for _, rows in found]).tolist() == list(range(30))
    assert {rows.y.dtype for _, rows in found} == {np.dtype("float32")}
    assert all(agents.stop - agents.start <= width for agents, _ in found)
    ends = [piece.stop for piece in asked]
    assert sorted(ends) == sorted(set(ends))
    assert cuts is None or set(ends) <= set(cuts)
