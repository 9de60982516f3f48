"""Agents that observe functions drawn from a Gaussian process: the SYNTHETIC domain and a 2-D random field."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.special import expit

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.dataset import Dataset, Numbered, Training
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.functions import draw_function

__all__ = [
    "agent_positions",
    "field",
    "load_class_field",
    "load_field",
    "load_synthetic",
    "on_the_square",
    "reflected",
    "square_grid",
    "synthetic",
]

STEEPNESS = 3.0
"""Of the log odds of a class, in units of the field: most places are of one class, and many near a border of either."""
CLASSES = ("low", "high")


def synthetic(
    seed: int,
    agents: int = 2,
    observations: int = 16_000,
    noise_std: float = 0.1,
    *,
    tests: int = 8_000,
    projection: Literal["diagonal", "full"] = "diagonal",
    width: float = 1.0,
) -> Dataset:
    """Return the paper's SYNTHETIC domain: agent a observes `f_a(x) = u(W_a x)`, d = 6, one `u`, its own `W_a`.

    Inputs are uniform in a cube about zero with sides of `width`, and `W_a` is near the identity (diagonal
    `exp(0.3 ε)`; with `"full"` also `0.15 ε` off the diagonal, `ε` standard normal). So with a width of 1 the function
    varies (standard deviation about 0.5), and 100 inducing inputs explain it to a root-mean-square error of about 0.04;
    with inputs twice as wide it is 0.35. Training and test rows are dealt out in turn: by default 8,000 and 4,000 for
    each of the paper's two agents. Test rows are each agent's own.
    """
    _check_counts("synthetic", agents, observations)
    if tests < agents:
        raise DataError(f"synthetic: needed at least one test row for each of {agents:,} agents, got {tests:,}")
    u = draw_function(seed, "synthetic function", 6)
    w = _projections(seed, agents, projection)

    def rows(purpose: str, count: int) -> tuple[Floats, Ints, Floats, Floats]:
        owner = np.arange(count) % agents
        x = generator(seed, f"synthetic {purpose} inputs").uniform(-0.5, 0.5, (count, 6)) * width
        truth = u(_projected(x, w, owner))
        noise = generator(seed, f"synthetic {purpose} noise").standard_normal(count)
        return x, owner, truth, truth + noise_std * noise

    x_train, owner, _, y_train = rows("training", observations)
    x_test, test_owner, truth, y_test = rows("test", tests)
    return Dataset(
        training=Dealt(x_train, y_train, owner),
        x_test=x_test,
        y_test=y_test,
        features=tuple(f"x{i}" for i in range(6)),
        target="y",
        agents=Numbered(agents),
        truth=truth,
        test_owner=test_owner,
    )


def field(
    seed: int,
    agents: int = 100,
    observations: int = 60_000,
    noise_std: float = 0.1,
    *,
    lengthscale: float = 0.15,
    spread: float = 0.1,
    side: int = 60,
    name: str = "field",
) -> Dataset:
    """Return a random field on the unit square (SE kernel, unit variance), sensed by agents near their positions.

    Agents sit uniformly at random and observe points scattered about themselves (Gaussian, standard deviation
    `spread`, reflected into the square), in turn. Test rows are a regular `side × side` grid, `x0` running fastest;
    `truth` is the field itself there. name: of the source, which its agents' positions are drawn for.
    """
    _check_counts("field", agents, observations)
    u = draw_function(seed, "field function", 2)
    positions = agent_positions(name, seed, agents)
    owner = np.arange(observations) % agents
    step = generator(seed, "field inputs").standard_normal((observations, 2))
    x_train = reflected(positions[owner] + spread * step)
    noise = generator(seed, "field training noise").standard_normal(observations)
    training = Dealt(x_train, u(x_train / lengthscale) + noise_std * noise, owner)
    x_test = square_grid(side)
    return on_the_square("field", seed, training, positions, x_test, u(x_test / lengthscale), noise_std)


def load_synthetic(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Dataset:
    """The source ``synthetic``, see :func:`synthetic`."""
    tests, width, rows = data.test_count or 8_000, data.width or 1.0, _observations(data, agents, run)
    return synthetic(run.seed, agents.count, rows, tests=tests, projection=agents.projection, width=width)


def load_field(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Dataset:
    """The source ``field``, see :func:`field`."""
    return field(run.seed, agents.count, _observations(data, agents, run))


def load_class_field(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Dataset:
    """The source ``class-field``: a field without noise as log odds of the class ``high``; `truth`: its probability."""
    values = field(run.seed, agents.count, _observations(data, agents, run), 0.0, name="class-field")
    training, truth = values.training, values.truth
    assert isinstance(training, Dealt)
    assert truth is not None
    probability = expit(STEEPNESS * truth)
    drawn = _drawn(expit(STEEPNESS * training.y), run.seed, "training")
    return replace(
        values,
        training=Dealt(training.x, drawn, training.owner),
        y_test=_drawn(probability, run.seed, "test"),
        truth=probability,
        target="class",
        classes=CLASSES,
    )


def _drawn(probability: Floats, seed: int, part: str) -> Floats:
    uniform = generator(seed, f"class field {part}").uniform(size=probability.shape)
    return (uniform < probability).astype(float)


def _observations(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> int:
    """Return how many training rows to generate: as asked, or one batch per agent and round, 30 rounds for "all"."""
    rounds = run.rounds if isinstance(run.rounds, int) else 30
    return data.observations or agents.count * agents.batch_size * rounds


def agent_positions(source: str, seed: int, agents: int) -> Floats:
    """Return the positions ``[N,2]`` of the agents of a source that places them: uniform in the unit square."""
    return generator(seed, f"{source} positions").uniform(0, 1, (agents, 2))


def on_the_square(
    source: str, seed: int, training: Training, positions: Floats, x_test: Floats, truth: Floats, noise_std: float
) -> Dataset:
    """Return what agents at positions ``[N,2]`` in the unit square observe, with test rows as noisy as theirs.

    truth: `[Q]`, the function at `x_test [Q,2]`.
    """
    noise = generator(seed, f"{source} test noise").standard_normal(len(truth))
    return Dataset(
        training=training,
        x_test=x_test,
        y_test=truth + noise_std * noise,
        features=("x0", "x1"),
        target="value",
        agents=Numbered(len(positions)),
        positions=positions,
        truth=truth,
    )


def _check_counts(source: str, agents: int, observations: int) -> None:
    if observations < agents:
        raise DataError(
            f"{source}: needed at least one observation for each of {agents:,} agents (data.observations,"
            f" agents.count), got {observations:,}"
        )


def _projections(seed: int, agents: int, projection: Literal["diagonal", "full"]) -> Floats:
    """Return `W [N,6,6]`."""
    rng = generator(seed, "synthetic projections")
    diagonal = np.exp(0.3 * rng.standard_normal((agents, 6)))
    w: Floats = diagonal[:, :, None] * np.eye(6)
    return w + 0.15 * rng.standard_normal(w.shape) * (1 - np.eye(6)) if projection == "full" else w


def _projected(x: Floats, w: Floats, owner: Ints) -> Floats:
    """Return `W_owner x [n,6]`."""
    projected: Floats = (w[owner] @ x[:, :, None])[:, :, 0]
    return projected


def reflected(x: Floats) -> Floats:
    """Fold the plane into the unit square at its edges.

    >>> reflected(np.array([-0.1, 0.3, 1.2, 2.5])).round(12).tolist()
    [0.1, 0.3, 0.8, 0.5]
    """
    folded: Floats = np.minimum(x % 2, 2 - x % 2)
    return folded


def square_grid(side: int) -> Floats:
    """Return the points `[side²,2]` of a regular grid on the unit square, the first input running fastest."""
    ticks = np.linspace(0, 1, side)
    return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
