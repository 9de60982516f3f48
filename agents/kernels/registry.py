"""All kernels by the name that a scenario gives them; a new one is a file here and a line below."""

from __future__ import annotations

from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.matern import Matern32, Matern52
from coolgp.agents.kernels.se import SE

__all__ = ["KERNELS"]

KERNELS: dict[str, Kernel] = {
    "se": SE,
    "matern32": Matern32(),
    "matern52": Matern52(),
}
