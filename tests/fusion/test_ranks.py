"""Laws of fusing on several ranks: the same predictions, hyper-parameters, messages and bytes as on one.

Run as a program on several ranks, this file saves what every rule ends with into the folder that it is given.
"""

import sys
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import Transport as TransportEncoding
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.fourier import FourierBasis, draw_waves
from coolgp.agents.model import Model
from coolgp.agents.own_inputs import OwnInputs
from coolgp.agents.parameters import Layout
from coolgp.agents.population import new_population, observe_in_place
from coolgp.agents.trial import Adam
from coolgp.fusion.hyperparameters import MODES, training_evidence_of
from coolgp.fusion.registry import RULES
from coolgp.fusion.rule import FusionRule, SeesData
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import PERFECT
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

AGENTS, ROUNDS, ROWS = 11, 2, 10
GRAPH = generate("small-world", AGENTS, seed=2)
MODEL = Model(
    Layout(2), FunctionBasis(np.random.default_rng(0).uniform(-2, 2, (10, 2)), np.diag([1.0, 1.2]), 1e-6),
    TransportEncoding(),
)  # fmt: skip
START = MODEL.layout.pack(np.array([0.8, 1.1]), 1.3, 0.05)
QUERIES = np.random.default_rng(1).uniform(-2, 2, (9, 2))
MODELS = {
    "inducing": MODEL,
    "own": replace(MODEL, encoding=OwnInputs(np.random.default_rng(3).uniform(-2, 2, (AGENTS, 6, 2)))),
    "rff": replace(MODEL, basis=FourierBasis(draw_waves(np.eye(2), 10, np.random.default_rng(0)))),
}
CASES = [(rule, mode, "converge", "inducing") for rule, mode in zip(RULES, cycle(("collective", "fixed")))]
CASES += [(rule, "local", "exchange", "inducing") for rule in RULES if rule != "npae"]  # which agents must agree for
CASES += [
    ("tree", "collective", "converge", "rff"),
    ("consensus", "local", "exchange", "rff"),
    ("ensemble", "fixed", "converge", "rff"),
    ("tree", "collective", "converge", "own"),
    ("rbcm", "fixed", "converge", "own"),
    ("ensemble", "local", "exchange", "own"),
]


def batch(turn: int, agents: np.ndarray) -> Batch:
    """Agents' observations belong to their ids, whichever rank holds them."""
    rng = np.random.default_rng(turn)
    x, mask = rng.uniform(-2, 2, (AGENTS, ROWS, 2)), (rng.random((AGENTS, ROWS)) < 0.8).astype(float)
    y = np.sin(x[..., 0]) + 0.2 * rng.standard_normal((AGENTS, ROWS))
    return Batch(x[agents], y[agents], mask[agents])


def links_of(rule: str) -> Topology:
    return fitted(rule).links(GRAPH)


def fitted(rule: str) -> FusionRule:
    return RULES[rule]().fit(GRAPH, PERFECT)


def ended(transport: Transport, rule: str, mode: str, verb: str, basis: str) -> dict[str, np.ndarray | None]:
    """Predictions, hyper-parameters and messages after a few rounds, on the root."""
    fusion, how, agents = fitted(rule), MODES[mode](Adam(0.05)), transport.shard.agents
    population = how.start(new_population(MODELS[basis].of(agents), START, len(agents)))
    state = fusion.init(population, transport)
    for turn in range(ROUNDS):
        new = batch(turn, agents)
        population = how.adopt(population, fusion.announced(state, population))
        population = how.propose(population, new, training_evidence_of(fusion, state, population))
        state = fusion.observe(state, population, new) if isinstance(fusion, SeesData) else state
        observe_in_place(population, new)
        state = getattr(fusion, verb)(state, population, transport)
    results = fusion.predict(state, population, np.arange(len(agents)), QUERIES, transport)
    return {
        "mean": transport.gather(results.mean),
        "variance": transport.gather(results.variance),
        "theta": transport.gather(population.theta),
        "meter": transport.total(np.array([transport.meter.messages, transport.meter.bytes])),
    }


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    for case in CASES:
        links = links_of(case[0])
        transport = MPITransport(links, partition(links, world().size))
        results = ended(transport, *case)
        if transport.root:
            np.savez(Path(folder) / f"{'-'.join(case)}.npz", **results)


@cache
def serial(case: tuple[str, str, str, str]) -> dict[str, np.ndarray | None]:
    return ended(SerialTransport(links_of(case[0])), *case)


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_any_number_of_ranks_ends_where_one_does(on_ranks, tmp_path, ranks):
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for case in CASES:
        with np.load(tmp_path / f"{'-'.join(case)}.npz") as results:
            for name, expected in serial(case).items():
                rtol = 0.0 if name == "meter" else 1e-12
                np.testing.assert_allclose(results[name], expected, rtol=rtol, err_msg=f"{case} {name}", strict=True)


if __name__ == "__main__":
    main(sys.argv[1])
