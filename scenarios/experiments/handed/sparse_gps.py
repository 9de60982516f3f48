"""Sparse Gaussian processes in files, fused by matching their inducing inputs (SPAHM)."""

from __future__ import annotations

from typing import ClassVar

from coolgp.agents.experts.expert import Expert, Regressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.apart.spahm import MatchedGPs as MatchedRule
from coolgp.fusion.matching.gps.fused import FusedGP
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.experiments.handed.borrowed import settings_as_used, with_settings_of
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome

__all__ = ["MatchedGPs"]


@with_settings_of(MatchedRule, without=("via", "seed", "matching", "sweeps"))
class MatchedGPs:
    """Sparse GPs whose inducing inputs are matched; evidence about the matched inputs adds up (SPAHM)."""

    leaves: ClassVar[tuple[str, ...]] = (".skops",)

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        models = [_sparse_gp(expert) for expert in handed.experts]
        settings = settings_as_used(self)
        prior = {name: settings.pop(name) for name in ("noise_variance", "mass")}
        spahm = SPAHM(prior_variance=1.0, learn=False, seed=handed.seed, **prior)
        fused = spahm.fuse(models, handed.graph, **settings)
        return Outcome(
            model=fused.as_regressor(),
            sizes=[_size(model) for model in models],
            fused_size=_size(fused.model),
            order="all at once" if handed.graph is None else "along a spanning tree of the graph, then improved",
            remarks=_dropped(fused),
            settings=settings_as_used(self),
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
