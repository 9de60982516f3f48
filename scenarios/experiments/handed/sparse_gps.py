"""Sparse Gaussian processes in files, fused by matching their inducing inputs (SPAHM)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from coolgp.agents.experts.expert import Expert, Regressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.gps.evidence import Noise
from coolgp.fusion.matching.gps.fused import Form, FusedGP
from coolgp.fusion.matching.gps.selection import Inputs
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome

__all__ = ["MatchedGPs"]

Above = Annotated[float, Field(gt=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class MatchedGPs:
    """Sparse GPs whose inducing inputs are matched; evidence about the matched inputs adds up (SPAHM).

    form: "evidence", or "published": pairs of inducing input and response are matched, and predictions are made from
    the matched pairs. noise_variance: of standardised columns; more of it means fewer inputs. mass: of the prior; more
    of it means more inputs. leftover: add the variance that the matched inputs leave unexplained. nugget: variance of a
    matched response, relative to the signal's. inputs: the fused model's: "matched", or, to compare, "k-means" centres
    or a "random" choice, as many as matching finds, or "all". max_inputs: at most so many, those that tell most of the
    others. noise: of the owners' rows; "floored" at the median of all owners, or "common" to all.
    """

    leaves: ClassVar[tuple[str, ...]] = (".skops",)

    form: Form = "evidence"
    noise_variance: Above = 0.01
    mass: Above = 1.0
    leftover: bool = False
    nugget: Above = 1e-3
    inputs: Inputs = "matched"
    max_inputs: AtLeastOne | None = None
    noise: Noise = "own"

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        models = [_sparse_gp(expert) for expert in handed.experts]
        spahm = SPAHM(self.noise_variance, 1.0, learn=False, mass=self.mass, seed=handed.seed)
        fused = spahm.fuse(
            models,
            handed.graph,
            form=self.form,
            leftover=self.leftover,
            nugget=self.nugget,
            inputs=self.inputs,
            max_inputs=self.max_inputs,
            noise=self.noise,
        )
        return Outcome(
            model=fused.as_regressor(),
            sizes=[_size(model) for model in models],
            fused_size=_size(fused.model),
            order="all at once" if handed.graph is None else "along a spanning tree of the graph, then improved",
            remarks=_dropped(fused),
            settings=asdict(self),
        )


def _sparse_gp(expert: Expert) -> SparseGP:
    if not isinstance(expert.parameters, SparseGP):
        raise ValueError(
            f"{expert.name}: spahm fuses sparse Gaussian processes (a SparseGPRegressor in a .skops file, or a run "
            f"folder), and this model shows no inducing inputs{_because(expert)}: take --rule ensemble, which asks "
            "models for predictions alone"
        )
    return expert.parameters


def _dropped(fused: FusedGP) -> list[str]:
    """What was left out to be small."""
    if not fused.dropped:
        return []
    lost = ", and with them their responses" if fused.form == "published" else "; their evidence is in the others"
    return [f"{counted(fused.dropped, 'inducing input')} of the models dropped{lost}"]


def _because(expert: Expert) -> str:
    return f" ({expert.closed})" if isinstance(expert, Regressor) and expert.closed else ""


def _size(model: SparseGP) -> str:
    return counted(len(model.shift), "inducing input")
