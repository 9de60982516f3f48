"""Affine maps between the units of the data and those that the model learns in."""

from __future__ import annotations

from dataclasses import dataclass

from coolgp.agents.base.arrays import Array

__all__ = ["Scaler"]


@dataclass(frozen=True)
class Scaler:
    """Affine maps between original and scaled units: ``x_mean, x_scale [D]``, ``y_mean, y_scale``."""

    x_mean: Array
    x_scale: Array
    y_mean: float
    y_scale: float

    def inputs(self, x: Array) -> Array:
        """Scaled inputs."""
        scaled: Array = (x - self.x_mean) / self.x_scale
        return scaled

    def target(self, y: Array) -> Array:
        """Scaled target."""
        scaled: Array = (y - self.y_mean) / self.y_scale
        return scaled

    def mean(self, mean: Array) -> Array:
        """A predicted mean, back in original units."""
        original: Array = mean * self.y_scale + self.y_mean
        return original

    def variance(self, variance: Array) -> Array:
        """A predicted variance, back in original units."""
        original: Array = variance * self.y_scale**2
        return original
