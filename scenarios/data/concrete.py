"""Strength of concrete by its mix and age, drawn from the seed; in place of a table that no package holds.

The table of the literature (Yeh, Cement and Concrete Research 1998) has 1,030 mixes: eight inputs, strength in MPa. The
mixes here have inputs of the same names, units and ranges, drawn independently of each other. Strength follows rules of
thumb of concrete technology, with the interactions that make that table hard for a linear model:

- Abrams' law: ``A / B^w``, with ``w`` the ratio of effective water to effective binder;
- slag and fly ash count as cement by a share that grows with age, for they react slowly;
- a superplasticizer replaces water, up to a limit;
- strength grows with age as ``t / (4 + 0.85 t)``, which is 1 at 28 days (ACI 209);
- mixes far from the best share of sand lose strength.
"""

from __future__ import annotations

import numpy as np

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.table import Table

__all__ = ["FEATURES", "load_concrete", "strength"]

FEATURES = ("cement", "slag", "fly_ash", "water", "superplasticizer", "coarse_aggregate", "fine_aggregate", "age")
"""Kg in a cubic metre, but for the age in days."""
MIXES = 1_030
DAYS = np.array([1.0, 3.0, 7.0, 14.0, 28.0, 56.0, 90.0, 180.0, 365.0])
DAYS_SHARE = np.array([0.01, 0.13, 0.12, 0.06, 0.41, 0.09, 0.11, 0.04, 0.03])
"""How often each age is tested: shares of the table that this one stands for."""
ABRAMS = 110.0, 12.0
"""MPa without water, and by which factor one more part of water for a part of binder lowers it."""
BEST_SAND = 0.44
"""Share of fine in all aggregate."""
NOISE_STD = 4.0
"""MPa, of a tested specimen."""


def load_concrete(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """1,030 mixes with the strength of a specimen of each, and without its noise."""
    rng = generator(run.seed, "concrete")
    x = _mixes(rng)
    truth = strength(x)
    noisy = np.maximum(truth + NOISE_STD * rng.standard_normal(len(x)), 1.0)
    return Table(x=x, y=noisy, features=FEATURES, target="strength", truth=truth)


def strength(x: Floats) -> Floats:
    """MPa of mixes ``[n, 8]``, without noise.

    >>> mix = np.array([[300.0, 0.0, 0.0, 180.0, 0.0, 980.0, 770.0, 28.0]])
    >>> strength(mix).round(1), strength(mix * [1, 1, 1, 1.2, 1, 1, 1, 1]).round(1)
    (array([24.9]), array([18.5]))
    """
    cement, slag, ash, water, plasticizer, coarse, fine, age = x.T
    binder = cement + 0.9 * slag * age / (age + 10) + 0.6 * ash * age / (age + 40)
    effective = water - np.minimum(2.0 * plasticizer, 0.2 * water)
    ripe = age / (4 + 0.85 * age)
    sand = 1 - 4 * (fine / (fine + coarse) - BEST_SAND) ** 2
    mpa: Floats = ABRAMS[0] / ABRAMS[1] ** (effective / binder) * ripe * sand
    return mpa


def _mixes(rng: np.random.Generator) -> Floats:
    """Mixes ``[n, 8]``; nearly half of them are without slag, ash or superplasticizer."""

    def some(least: float, most: float, share: float) -> Floats:
        return rng.uniform(least, most, MIXES) * (rng.random(MIXES) < share)

    columns = (
        rng.uniform(140.0, 540.0, MIXES),
        some(10.0, 350.0, 0.55),
        some(60.0, 200.0, 0.45),
        np.clip(rng.normal(182.0, 21.0, MIXES), 125.0, 245.0),
        some(2.0, 25.0, 0.6),
        np.clip(rng.normal(973.0, 78.0, MIXES), 800.0, 1145.0),
        np.clip(rng.normal(774.0, 80.0, MIXES), 595.0, 990.0),
        rng.choice(DAYS, MIXES, p=DAYS_SHARE),
    )
    return np.column_stack(columns)
