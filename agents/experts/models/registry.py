"""All kinds of models that are trained here, by the name that a scenario gives them; a new one is a line below."""

from __future__ import annotations

__all__ = ["MODEL_REFERENCES"]

MODEL_REFERENCES = {
    "mlp": "coolgp.agents.experts.models.networks:MLP",
    "sparse-gp": "coolgp.agents.experts.models.others:SparseGP",
    "ridge": "coolgp.agents.experts.models.others:Ridge",
    "logistic": "coolgp.agents.experts.models.others:Logistic",
    "forest": "coolgp.agents.experts.models.others:Forest",
}
"""Each as ``module:Class``: naming a kind needs none of them, and none of scikit-learn."""
