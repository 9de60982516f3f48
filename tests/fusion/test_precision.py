"""Single precision: every rule and encoding runs in it, on one rank or two, for half the bytes; how near it comes."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.encoding import Transport as Transported
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import fold, new_population, observe
from coolgp.agents.prediction import Prediction, predict
from coolgp.fusion.registry import SUM_RULES
from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.deviation import attainable, deviation
from coolgp.fusion.sums.growing_tree import GrowingTree
from coolgp.fusion.sums.rows import contributions
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.row_axes import rows_of
from coolgp.network.serial import SerialTransport
from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.records.run_folder import read_metrics

from tests.oracle import QUERIES, build_model, draw, start
from tests.run_folders import contents
from tests.scenarios.runs.test_checkpoint import write_study

SINGLE, DOUBLE = np.float32, np.float64
EPS = float(np.finfo(SINGLE).eps)
STOP = 1
STEPS = "fusion.rounds_per_step=2"
BROKEN = ("network.loss=0.2", "network.delay=1.5", 'network.delays="geometric"')
SETTINGS = [
    *((f"fusion.rule={rule}", STEPS) for rule in SUM_RULES),
    *((f"agents.encoding={name}", f"agents.hyperparameters={mode}") for name, mode in zip(
        ENCODINGS, ("local", "local", "collective"), strict=True)),
    ("agents.shared=latent", "agents.hyperparameters=local"),
    ("fusion.every=3", "agents.hyperparameters=collective"),
    ("fusion.rule=push-sum", STEPS, *BROKEN),
    ("fusion.rule=gossip", STEPS, *BROKEN),
    ("fusion.rule=tree", STEPS, "network.churn=0.3"),
]  # fmt: skip
RESUMED = range(len(SUM_RULES), len(SETTINGS), 2)
"""Those that two ranks go on with; one rank does with all."""
AVERAGING = ("consensus", "chebyshev", "push-sum", "gossip")

Program = Callable[..., subprocess.CompletedProcess[str]]


PROGRAM = """
import json, sys
from pathlib import Path
from coolgp.scenarios import load_scenario, resume, run

study, place, cases = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
for case, settings in enumerate(cases):
    run(load_scenario(study, settings), place / f"{case}-whole", figures=False)
for folder in place.glob("*-resumed"):
    resume(folder, figures=False)
"""

# Runs ---------------------------------------------------------------------------------------------------------------


def settings_of(case: int, precision: str) -> tuple[str, ...]:
    return (*SETTINGS[case], f"run.precision={precision}", "run.rounds=3", "run.checkpoint_minutes=60")


def run_case(case: int, study: Path, folder: Path, precision: str) -> None:
    """A whole run, and beside it what a kill after some rounds would leave."""
    finished, killed = folder / f"{case}-whole", folder / f"{case}-killed"

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] == STOP + 1 and precision == "float32":
            shutil.copytree(finished, killed)

    stored = ("run.checkpoint_minutes=0",) if precision == "float32" else ()
    run(load_scenario(study, (*settings_of(case, precision), *stored)), finished, figures=False, watch=copy)


@dataclass(frozen=True)
class Runs:
    """Folders of the runs in both precisions on one rank."""

    study: Path
    single: Path
    double: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("precision")
    made = Runs(write_study(folder), folder / "single", folder / "double")
    for place, precision in ((made.single, "float32"), (made.double, "float64")):
        place.mkdir()
        for case in range(len(SETTINGS)):
            run_case(case, made.study, place, precision)
    return made


@pytest.mark.parametrize("case", range(len(SETTINGS)), ids=[" ".join(settings) for settings in SETTINGS])
class TestRuns:
    def test_single_precision_halves_the_bytes(self, runs: Runs, case: int) -> None:
        """Of what agents say of their models; what they say beside it, integers, stays as it is."""
        single, double = (read_metrics(place / f"{case}-whole") for place in (runs.single, runs.double))
        np.testing.assert_array_equal(single["messages"], double["messages"])
        if "network.churn=0.3" in SETTINGS[case]:
            assert (single["bytes"] < 0.6 * double["bytes"]).all()
        else:
            np.testing.assert_array_equal(2 * single["bytes"], double["bytes"])

    def test_predictions_are_near_those_in_double_precision(self, runs: Runs, case: int) -> None:
        single, double = (np.load(place / f"{case}-whole" / "predictions.npz") for place in (runs.single, runs.double))
        spread = np.sqrt(double["variance_post"])
        assert (np.abs(single["mean_post"] - double["mean_post"]) < 0.01 * spread).all()
        np.testing.assert_allclose(single["variance_post"], double["variance_post"], rtol=0.01)

    def test_a_killed_run_resumed_is_the_run_that_nobody_stopped(self, runs: Runs, case: int, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(runs.single / f"{case}-killed", tmp_path / "killed"))
        resume(folder, figures=False)
        assert contents(folder) == contents(runs.single / f"{case}-whole")


@pytest.mark.slow
def test_two_ranks_give_the_same_bits_and_go_on_with_what_one_began(runs: Runs, on_ranks: Program) -> None:
    place, cases = runs.study.parent / "ranks", [settings_of(case, "float32") for case in range(len(SETTINGS))]
    for case in RESUMED:
        shutil.copytree(runs.single / f"{case}-killed", place / f"{case}-resumed")
    done = on_ranks(2, PROGRAM, runs.study, place, json.dumps(cases))
    assert done.returncode == 0, done.stderr
    for case, settings in enumerate(SETTINGS):
        assert contents(place / f"{case}-whole") == contents(runs.single / f"{case}-whole"), settings
    for case in RESUMED:
        assert contents(place / f"{case}-resumed") == contents(runs.single / f"{case}-whole"), SETTINGS[case]


# Rules --------------------------------------------------------------------------------------------------------------

GRAPH = generate("small-world", 12, seed=3)
RULES_OF_SUMS: dict[str, SumRule] = {
    **{name: rule() for name, rule in SUM_RULES.items()},
    "growing tree": GrowingTree(),
}
FAULTS = {
    "nothing": PERFECT,
    "loss": Faults(loss=0.3, burst=2),
    "delay": Faults(delay=2, delays="geometric"),
    "bandwidth": Faults(bandwidth=60),
    "coming and going": Faults(away=(Absence(2, 1, 3),), one_way=0.3),
}


def values_of(columns: int = 9) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(GRAPH.size, columns)).astype(SINGLE)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", RULES_OF_SUMS)
def test_what_a_rule_keeps_of_rows_in_single_precision_stays_in_it(name: str, fault: str) -> None:
    faults = FAULTS[fault]
    rule = RULES_OF_SUMS[name].fit(GRAPH, faults)
    plain = SerialTransport(rule.links(GRAPH))
    transport = plain if faults == PERFECT else FaultyTransport(plain, Dynamics(GRAPH, faults, 0), faults, 0)
    values = values_of()
    state = rule.begin(values, transport)
    for turn in range(3):
        transport.advance(turn)
        state = rule.rounds(state, values + SINGLE(turn), transport, 3)
        kept = {key: rows for key, (_, rows) in rows_of(state).items() if rows.ndim > 1 and rows.dtype.kind == "f"}
        assert kept or name == "none"
        assert all(rows.dtype == SINGLE for rows in kept.values()), {key: rows.dtype for key, rows in kept.items()}
        assert rule.sums(state).dtype == SINGLE


@pytest.mark.parametrize("name", [name for name in RULES_OF_SUMS if name != "none"])
@pytest.mark.parametrize("kind, size", [("ring", 10), ("small-world", 30)])
def test_the_fixed_point_is_reached_as_far_as_single_precision_goes(kind: str, size: int, name: str) -> None:
    graph, values = generate(kind, size, seed=1), np.random.default_rng(2).normal(size=(size, 5)).astype(SINGLE)
    rule = RULES_OF_SUMS[name].fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    sums = rule.sums(rule.settle(rule.begin(values, transport), values, transport))
    exact = values.astype(DOUBLE)
    off = deviation(sums.astype(DOUBLE), exact.sum(0), np.sqrt(np.square(exact).sum(0)), transport)
    assert off <= 1.1 * attainable(rule.tolerance, values, 1000.0 if name in AVERAGING else 20.0)


@pytest.mark.parametrize("size", [6, 12])
def test_trimmed_means_come_to_rest_in_single_precision(size: int) -> None:
    graph, values = generate("small-world", size, seed=1), np.random.default_rng(2).normal(size=(size, 5))
    ends = []
    for dtype in (SINGLE, DOUBLE):
        rule = SUM_RULES["consensus"](trim=1, tolerance=1e-6).fit(graph, PERFECT)
        told, transport = values.astype(dtype), SerialTransport(graph)
        ends.append(rule.settle(rule.begin(told, transport), told, transport).estimate)
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-2)


# Accuracy -----------------------------------------------------------------------------------------------------------


def at_lengthscale(lengthscale: float, points: int = 30) -> Model:
    """Inducing inputs that are the more alike, as the kernel sees them, the larger the length-scale is."""
    inducing = np.random.default_rng(0).uniform(-2, 2, (points, 2))
    return Model(Layout(2), FunctionBasis(inducing, np.eye(2) / lengthscale, 1e-6), Transported())


def told_in(dtype: type, model: Model, lengthscale: float, *, moved: bool) -> tuple[Prediction, np.ndarray]:
    theta = model.layout.pack(np.full(2, lengthscale), 1.0, 0.05)
    population = new_population(model, theta, 4, dtype)
    if moved:
        shift = 0.2 * np.random.default_rng(1).standard_normal(population.theta.shape)
        population = replace(population, theta=population.theta + shift)
    for turn in range(6):
        population = observe(population, draw(4, 40, turn).cast(population.dtype))
    evidence = fold(population).evidence()
    assert evidence.precision.dtype == dtype
    return predict(model, population.theta, evidence, QUERIES), population.theta


@pytest.mark.parametrize("moved", [False, True], ids=["where they started", "moved since"])
@pytest.mark.parametrize("lengthscale", [0.3, 0.5, 1.0, 2.0, 4.0, 8.0])
def test_single_precision_costs_half_the_digits_of_the_condition_number(lengthscale: float, moved: bool) -> None:
    """Features are ``L⁻¹κ``, rounded: the error grows as ``ε √cond(K)``, from 1e-6 to 1e-3 of the signal's deviation.

    ``cond(K)`` goes from 100, points far apart, to 3·10⁷, where the jitter of 10⁻⁶ alone keeps it from infinity.
    """
    model = at_lengthscale(lengthscale)
    (single, theta), (double, _) = (told_in(dtype, model, lengthscale, moved=moved) for dtype in (SINGLE, DOUBLE))
    bound = 5 * EPS * float(np.linalg.cond(model.geometry(theta).factor).max())
    assert 5e-6 < bound < 5e-3
    assert np.abs(single.mean - double.mean).max() < bound
    assert np.abs(single.variance - double.variance).max() < bound


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("basis", ["function", "latent"])
def test_messages_in_single_precision_are_those_in_double(basis: str, encoding: str) -> None:
    model = build_model(basis, "diagonal", encoding)
    rows = []
    for dtype in (SINGLE, DOUBLE):
        population = new_population(model, start(model), 3, dtype)
        for turn in range(4):
            population = observe(population, draw(3, 20, turn).cast(population.dtype))
        assert population.waiting
        waiting = contributions(population)
        folded = contributions(fold(population))
        assert population.statistics.rows.dtype == waiting.dtype == folded.dtype == dtype
        np.testing.assert_allclose(waiting, folded, atol=10 * np.finfo(dtype).eps * np.abs(folded).max())
        np.testing.assert_array_equal(waiting[:, -2:], folded[:, -2:])
        rows.append(folded)
    lost = 10 * EPS / np.sqrt(model.basis.jitter)
    np.testing.assert_allclose(rows[0], rows[1], atol=lost * np.abs(rows[1]).max())
    np.testing.assert_array_equal(rows[0][:, -2:], rows[1][:, -2:])  # observations and agents are counted exactly


def test_plain_kernel_values_are_refused_in_single_precision(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    scenario = load_scenario(study, ["run.precision=float32", "agents.coordinates=kernel"])
    with pytest.raises(ValueError, match="lose more digits than single precision has"):
        run(scenario)
