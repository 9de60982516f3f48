"""Settings of PFNM that owners choose among: the prior of each hidden layer, and how weights are read out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from coolgp.fusion.matching.networks.read_out import READ_OUTS
from coolgp.fusion.matching.networks.units import LayerPrior

__all__ = ["GRID", "Setting"]


@dataclass(frozen=True)
class Setting:
    """A prior, and how weights are read out.

    mass, noise_variance, prior_variance: above 0, one number or one for each hidden layer from the first. Both
    variances are on the scale of the weights: their ratio is the shrinkage, and the noise against the squared distance
    of units decides what matches. read_out: "map", "mean" or "split". share_power: of the class shares; below 1,
    networks that saw little of a class say more about it.
    """

    mass: float | tuple[float, ...] = 1.0
    noise_variance: float | tuple[float, ...] = 1.0
    prior_variance: float | tuple[float, ...] = 1.0
    read_out: str = "map"
    share_power: float = 1.0

    def __post_init__(self) -> None:
        if self.read_out not in READ_OUTS:
            raise ValueError(f"A read-out is one of {', '.join(READ_OUTS)}; got {self.read_out!r}")
        for name in ("mass", "noise_variance", "prior_variance", "share_power"):
            if not (np.isfinite(getattr(self, name)).all() and (np.asarray(getattr(self, name)) > 0).all()):
                raise ValueError(f"PFNM needs a finite {name} above 0; got {getattr(self, name)}")

    def layers(self, depth: int) -> list[LayerPrior]:
        """The prior of each of so many hidden layers. Raises ValueError where another number of them is set."""
        columns = []
        for name in ("mass", "noise_variance", "prior_variance"):
            value = getattr(self, name)
            column = tuple(value) if isinstance(value, tuple) else (value,) * depth
            if len(column) != depth:
                raise ValueError(f"PFNM needs {name} for each of {depth} hidden layers; got {len(column)}")
            columns.append(column)
        return [LayerPrior(*numbers) for numbers in zip(*columns, strict=True)]


GRID = tuple(
    Setting(mass, noise, prior, read_out, power)
    for power, mass, noise, prior, read_out in product(
        (0.5, 1.0), (1.0, 1e-3, 50.0), (1.0, 0.1, 0.5), (1.0, 10.0), ("map", "split")
    )
)
"""The authors' grid of settings, with both read-outs that work, and with the root of the class shares as well."""
