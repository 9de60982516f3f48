"""A stored model: everything needed to predict again, without pickle, and how it predicts.

Fused evidence ``precision [M, M]`` and ``shift [M]`` of each probe leave the prior out and are in common coordinates.
With ``shared = "function"`` they are about ``v`` where ``f(X_u) = L_ref v``: ``L_ref`` is the Cholesky factor of the
unit kernel matrix ``K_ref`` of ``inducing_inputs`` plus ``jitter`` under ``reference_lengthscale``, by the kernel that
``kernel`` names; where ``coordinates`` says ``kernel``, ``f(X_u) = K_ref v``. With ``shared = "latent"``, about ``v``
where ``u(Z) = L v``, ``Z = inducing_points`` in the standardized domain. With ``basis = "rff"`` there are
``waves [M/2, D]`` in place of inducing inputs, and evidence is about ``v`` where
``f(x) = [cos Ωx, sin Ωx]·v (M/2)^-½``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.named_inputs import ordered
from coolgp.agents.encoding import Transport
from coolgp.agents.experts.online import sparse_gp_of
from coolgp.agents.features.basis import Basis, FunctionBasis, LatentBasis
from coolgp.agents.features.fourier import FourierBasis
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.likelihoods.base import Likelihood
from coolgp.agents.likelihoods.registry import LIKELIHOODS
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence
from coolgp.scenarios.base.formatting import named
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.metrics.scores import Forecast
from coolgp.scenarios.records.model_shapes import check_arrays
from coolgp.scenarios.records.tables import arrays_of

__all__ = ["SavedModel", "load_model", "model_of", "stored_in", "stored_in_folder"]


@dataclass(frozen=True, repr=False)
class SavedModel:
    """Fused models of the probes of a run, ready to predict.

    agents ``[probes]``: their labels. features: names of the inputs, in order. theta ``[probes, K]``. classes: labels
    of the two classes, where these were learned.
    """

    model: Model
    scaler: Scaler
    theta: Array
    evidence: Evidence
    agents: tuple[str, ...]
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def predict(self, x: Any, agent: str | None = None) -> Forecast:
        """Mean and variance of observations ``[Q]`` at ``x [Q, D]``, all in original units, by one agent.

        Of classes, the mean is the probability of the second one, see `predict_proba`.

        x: an array with the columns of `features`, or a data frame, an Arrow table, a record array or a mapping with
        just these columns in any order. agent: its label; the first probe by default. Raises ValueError for a wrong
        width, columns that are missing or unknown, values that are not finite, or an unknown label.
        """
        answer = self._function(x, agent)
        noise = answer.noise_variance[:, None]
        mean, variance = self.model.likelihood.observed(answer.mean, answer.variance, noise)
        return Forecast(self.scaler.mean(mean)[0], self.scaler.variance(variance)[0])

    def predict_proba(self, x: Any, agent: str | None = None) -> Array:
        """Probabilities of the two `classes`, ``[Q, 2]``, at x, by one agent; arguments as of `predict`.

        Raises ValueError as `predict`, and where numbers were learned.
        """
        if not self.classes:
            raise ValueError("predict_proba needs a model of classes; this one learned numbers: take predict")
        second = self.predict(x, agent).mean
        return np.stack([1.0 - second, second], axis=-1)

    def known(self, x: Any, agent: str | None = None) -> Array:
        """The share of the function's prior variance that data took away at x, ``[Q]``: near 0 nothing is known.

        Arguments and errors as of `predict`.
        """
        answer, signal = self._function(x, agent), self.model.layout.signal_variance(self.theta[self._row(agent)])
        share: Array = 1.0 - answer.variance[0] / signal[0]
        return np.clip(share, 0.0, 1.0)

    def to_sparse_gp(self, agent: str | None = None) -> SparseGP:
        """What one agent learned as a record that :class:`coolgp.SPAHM` fuses, in original units; agent as above.

        Raises ValueError for an unknown label, and, with the reason, for a model without inducing inputs or without a
        lengthscale for each input, or of classes.
        """
        if self.classes:
            raise ValueError("to_sparse_gp needs a model of numbers; this one learned classes")
        row, units = self._row(agent), self.scaler
        gp = sparse_gp_of(self.model, self.theta[row], self.evidence[row])
        return gp.in_units(units.x_mean, units.x_scale, units.y_mean, units.y_scale)

    def __repr__(self) -> str:
        """In one line, without its arrays."""
        agents, inputs = (named(names) for names in (self.agents, self.features))
        return f"SavedModel(agents: {agents}; inputs: {inputs}; {self.model.inducing} features)"

    def _function(self, x: Any, agent: str | None) -> Prediction:
        """The function at x in the units of agents, by one agent."""
        x = ordered(x, self.features)
        if x.ndim != 2 or x.shape[1] != len(self.features):
            raise ValueError(f"predict needs x [Q,{len(self.features)}] ({', '.join(self.features)}); got {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError(f"predict needs finite x; {np.count_nonzero(~np.isfinite(x).all(axis=1))} rows are not")
        row = self._row(agent)
        return predict(self.model, self.theta[row], self.evidence[row], self.scaler.inputs(x))

    def _row(self, agent: str | None) -> slice:
        if agent is not None and agent not in self.agents:
            raise ValueError(f"this model knows agents {', '.join(self.agents)}; got {agent!r}")
        place = 0 if agent is None else self.agents.index(agent)
        return slice(place, place + 1)


def load_model(path: str | Path) -> SavedModel:
    """Read ``model.npz``, or that of a run folder.

    Raises ValueError where there is none, it holds no evidence, or is damaged (what is wrong with it, in one sentence).
    """
    path = stored_in(path)
    if not path.is_file():
        raise ValueError(f"{path}: needed the model.npz of a finished run; there is none")
    arrays = arrays_of(path, ("features", "agents", "theta"))
    return model_of(arrays, path)


def stored_in(path: str | Path) -> Path:
    """The file that holds the model: of a folder its ``model.npz``."""
    return stored_in_folder(path) if Path(path).is_dir() else Path(path)


def stored_in_folder(path: str | Path) -> Path:
    """The file of the model in a folder, of a run or of fused surrogates."""
    return Path(path) / "model.npz"


def model_of(arrays: Mapping[str, Any], origin: str | Path) -> SavedModel:
    """The model in the arrays of a ``model.npz``; origin: names it in messages. Raises ValueError as `load_model`."""
    if "precision" not in arrays:
        raise ValueError(f"{origin}: this run's fusion rule leaves agents no evidence of their own to predict from")
    check_arrays(origin, arrays)
    layout = Layout(len(arrays["features"]), bool(arrays["full"]), bool(arrays["uncertain"]))
    scaler = Scaler(arrays["x_mean"], arrays["x_scale"], float(arrays["y_mean"]), float(arrays["y_scale"]))
    evidence = Evidence(**{field.name: arrays[field.name] for field in fields(Evidence)})
    agents, features = (tuple(arrays[name].tolist()) for name in ("agents", "features"))
    model = Model(layout, _basis(dict(arrays)), Transport(), _likelihood(arrays))
    return SavedModel(model, scaler, arrays["theta"], evidence, agents, features, _classes(arrays, origin))


def _likelihood(arrays: Mapping[str, Any]) -> Likelihood:
    """The likelihood of a model; Gaussian in files of versions that had no other."""
    name = str(arrays.get("likelihood", "gaussian"))
    if name not in LIKELIHOODS:
        raise ValueError(f"this model was learned with the likelihood {name!r}; there are {', '.join(LIKELIHOODS)}")
    return LIKELIHOODS[name]


def _classes(arrays: Mapping[str, Any], origin: str | Path) -> tuple[str, ...]:
    """The labels of the two classes; none where numbers were learned."""
    labels = np.atleast_1d(arrays.get("classes", np.empty(0, dtype=str)))
    needed = _likelihood(arrays).classes
    if labels.dtype.kind != "U" or labels.shape != (needed,):
        got = f"{labels.dtype} {list(labels.shape)}"
        raise ValueError(f"{origin}: is damaged, or no model of a run: classes needed {needed} texts, got {got}")
    return tuple(labels.tolist())


def _kernel(arrays: dict[str, Array]) -> Kernel:
    """The kernel of a model; squared exponential in files of versions that had no other."""
    name = str(arrays.get("kernel", "se"))
    if name not in KERNELS:
        raise ValueError(f"this model was learned with the kernel {name!r}; there are {', '.join(KERNELS)}")
    return KERNELS[name]


def _basis(arrays: dict[str, Array]) -> Basis:
    if str(arrays["basis"]) == "rff":
        return FourierBasis(arrays["waves"])
    jitter, kernel = float(arrays["jitter"]), _kernel(arrays)
    if str(arrays["shared"]) == "latent":
        return LatentBasis(arrays["inducing_points"], jitter, kernel)
    coordinates: Literal["whitened", "kernel"] = "kernel" if str(arrays["coordinates"]) == "kernel" else "whitened"
    return FunctionBasis(
        inducing=arrays["inducing_points"],
        reference=arrays["reference_projection"],
        jitter=jitter,
        coordinates=coordinates,
        kernel=kernel,
    )
