"""Seconds that learning takes: COOL-GP for each of its agents, and centralised sparse GPs, on the same rows.

All work is done by one core. Ready to predict means that the posterior of one who predicts is formed: every method does
so after each batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batch_gp import BatchGP, Sums
from coolgp.agents.batches import Batch
from coolgp.agents.blocks import on_cores
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.prediction import posterior
from coolgp.fusion.rule import EvidenceRule
from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.metrics.scores import rmse
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.rounds import simulate
from coolgp.scenarios.simulation.state import Simulation, Step

__all__ = ["CENTRAL", "TimingCurve", "central", "collective", "fastest"]

Blocks = Sequence[tuple[Array, Array]]
"""Rows of each agent, `x [n,D]`, `y [n]`, in scaled units."""
Method = Callable[[BatchGP, Sums, Blocks, Blocks], Sums]
"""From the sums so far, new rows and all rows so far to sums."""
CENTRAL = {"dtc": "DTC, trained again", "pitc": "PITC, trained again", "incremental": "DTC, sums kept up"}
"""How a centre can learn."""


@dataclass(frozen=True)
class TimingCurve:
    """How learning went, after each round `[R]`.

    points: rows seen by all agents together. spent: seconds of each round, of one agent or of the centre. error: RMSE
    on the test rows, mean over probes where there are several; alone: of agents before fusion, NaN for a centre.
    """

    points: Floats
    spent: Floats
    error: Floats
    alone: Floats

    @property
    def seconds(self) -> Floats:
        """Since the start, after each round `[R]`."""
        return np.cumsum(self.spent)


def fastest(measure: Callable[[], TimingCurve], times: int) -> TimingCurve:
    """A timing curve measured so many times: of each round the fastest, for the machine may have other work."""
    curves = [measure() for _ in range(times)]
    return replace(curves[0], spent=np.min([curve.spent for curve in curves], axis=0))


def collective(scenario: Scenario, dataset: Dataset) -> TimingCurve:
    """COOL-GP: what one agent spends; one process does the work of all, and its seconds are dealt out evenly.

    Forming a posterior after each round, which only an agent that predicts needs, is counted in full. The rule must
    be one that adds up evidence.
    """
    with on_cores(1), one_thread():
        run = scenario.run.model_copy(update={"evaluate_every": 1, "evaluate_rows": "all"})  # as the centre is tested
        simulation = assemble(scenario.model_copy(update={"run": run}), dataset)
        rows = [_round(simulation, step) for step in simulate(simulation)]
    return TimingCurve(*np.array(rows).T)


def central(scenario: Scenario, dataset: Dataset, method: str) -> TimingCurve:
    """A centre that has all rows; method: one of `CENTRAL`. Hyper-parameters are those that agents start with."""
    with on_cores(1), one_thread():
        simulation = assemble(scenario, dataset)
        return _learned_centrally(simulation, METHODS[method])


def _learned_centrally(simulation: Simulation, method: Method) -> TimingCurve:
    gp, scaler, dataset = _start(simulation), simulation.shared_start.scaler, simulation.dataset
    x_test, batches, rows = scaler.inputs(dataset.x_test), list[Batch](), []
    sums = Sums(np.zeros((len(gp.inducing), len(gp.inducing))), np.zeros(len(gp.inducing)))
    for batch in _batches(simulation):
        batches.append(batch)
        new, so_far, started = _by_agent([batch]), _by_agent(batches), perf_counter()
        sums = method(gp, sums, new, so_far)
        trained = gp.trained(sums)
        seconds = perf_counter() - started
        residual = scaler.mean(trained.predict(x_test)[0]) - dataset.y_test
        rows.append((sum(len(y) for _, y in so_far), seconds, np.sqrt(np.mean(np.square(residual)))))
    points, spent, error = np.array(rows).T
    return TimingCurve(points, spent, error, np.full(len(rows), np.nan))


def _round(simulation: Simulation, step: Step) -> tuple[float, float, float, float]:
    """Points, seconds of one agent in this round, errors after and before fusion."""
    record, run_state, rule = step.record, step.run_state, simulation.rule
    assert record is not None  # one process is the root
    assert record.probed is not None
    assert isinstance(rule, EvidenceRule)  # the tree is
    one = np.array([0])
    evidence = rule.fused_evidence(run_state.state, run_state.population, one)
    started = perf_counter()
    posterior(run_state.population.model, run_state.population.theta[one], evidence)
    forming = perf_counter() - started
    y = simulation.dataset.y_test
    asked = np.ones((len(simulation.probes), len(y)))
    errors = [float(rmse(answer, y, asked).mean()) for answer in (record.probed.post, record.probed.pre)]
    return record.observations, record.seconds / len(simulation.dataset.agents) + forming, errors[0], errors[1]


def _start(simulation: Simulation) -> BatchGP:
    """The centre's GP, with the same inducing inputs and hyper-parameters as the agents start with."""
    shared_start = simulation.shared_start
    layout, theta = shared_start.model.layout, shared_start.start[None]
    signal, noise = float(layout.signal_variance(theta)[0]), float(layout.noise_variance(theta)[0])
    settings = simulation.scenario.agents
    return BatchGP(
        inducing=shared_start.inducing_inputs,
        lengthscale=layout.lengthscale(theta)[0],
        signal_variance=signal,
        noise_variance=noise,
        jitter=settings.jitter,
        kernel=KERNELS[settings.kernel],
    )


def _batches(simulation: Simulation) -> Iterator[Batch]:
    scenario, shard, scaler = simulation.scenario, simulation.transport.shard, simulation.shared_start.scaler
    stream = simulation.dataset.training.stream(shard, scaler, scenario.agents.batch_size, scenario.run.seed)
    return (stream.batch(turn)[:] for turn in range(simulation.rounds))


def _dtc_again(gp: BatchGP, sums: Sums, new: Blocks, so_far: Blocks) -> Sums:
    return gp.dtc(*_joined(so_far))


def _pitc_again(gp: BatchGP, sums: Sums, new: Blocks, so_far: Blocks) -> Sums:
    return gp.pitc(so_far)


def _dtc_kept_up(gp: BatchGP, sums: Sums, new: Blocks, so_far: Blocks) -> Sums:
    return sums + gp.dtc(*_joined(new))


METHODS: Mapping[str, Method] = {"dtc": _dtc_again, "pitc": _pitc_again, "incremental": _dtc_kept_up}


def _joined(blocks: Blocks) -> tuple[Array, Array]:
    x, y = zip(*blocks, strict=True)
    return np.concatenate(x), np.concatenate(y)


def _by_agent(batches: Sequence[Batch]) -> Blocks:
    """Rows of each agent that has any."""
    x, y, mask = (np.concatenate([getattr(batch, name) for batch in batches], axis=1) for name in ("x", "y", "mask"))
    return [(x[agent, rows], y[agent, rows]) for agent, rows in enumerate(mask > 0) if rows.any()]
