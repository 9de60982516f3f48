"""What a user can name in a scenario, each with a line that says what it is."""

from __future__ import annotations

from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.fourier import FourierBasis
from coolgp.agents.features.inducing import CHOICES, own_centres
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.starting import fit_pilot
from coolgp.fusion.apart.registry import APART_RULES
from coolgp.fusion.hyperparameters import MODES
from coolgp.fusion.registry import RULES
from coolgp.network.graphs.generate import GENERATORS
from coolgp.scenarios.config.catalogue import catalogue
from coolgp.scenarios.config.sections.experts import MODELS
from coolgp.scenarios.config.sources import SOURCES
from coolgp.scenarios.data.partitions import CLASS_PARTITIONS, PARTITIONS
from coolgp.scenarios.experiments.handed.registry import HANDED_RULES
from coolgp.scenarios.experiments.registry import KINDS

__all__ = ["listing"]


def listing() -> dict[str, list[tuple[str, str]]]:
    """Names and descriptions by kind, in their own words."""
    registries: dict[str, dict[str, object]] = {
        "Fusion rules (fusion.rule; your own as module:Class)": dict(RULES),
        "Fusion rules for models trained apart (fusion.rule, with [experts])": dict(APART_RULES),
        "Fusion rules for models in files (coolgp fuse --rule)": dict(HANDED_RULES),
        "Models that are trained apart (experts.model)": dict(MODELS),
        "Hyper-parameters (agents.hyperparameters)": dict(MODES),
        "Features (agents.basis)": {"inducing": FunctionBasis, "rff": FourierBasis},
        "Kernels (agents.kernel)": dict(KERNELS),
        "Encodings of old data (agents.encoding)": dict(ENCODINGS),
        "Inducing inputs (agents.inducing_choice)": {"bound": fit_pilot, **CHOICES, "own": own_centres},
        "Graphs (network.topology; or a .graphml or edge-list file)": dict(GENERATORS),
        "Partitions (data.partition)": dict(PARTITIONS),
        "Partitions by class (data.partition, with [experts])": dict(CLASS_PARTITIONS),
    }
    described = {
        "Scenarios (coolgp run NAME)": [(name, packaged.headline) for name, packaged in catalogue().items()],
        "Kinds of scenario (kind)": [(name, kind.words) for name, kind in KINDS.items()],
        "Data sources (data.source; or a .csv or .parquet file)": [(name, s.words) for name, s in SOURCES.items()],
    }
    return described | {
        title: [(name, _first_sentence(thing)) for name, thing in things.items()]
        for title, things in registries.items()
    }


def _first_sentence(thing: object) -> str:
    text = (thing.__doc__ or "").strip().split("\n\n")[0]
    sentence = " ".join(text.split()).replace("`", "")
    return sentence.split(". ")[0].rstrip(".")
