"""Networks in files and their owners' rows, as rules that fuse weights take them, and what is said of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.networks.layers import checked_networks
from coolgp.scenarios.base.formatting import counted, percent
from coolgp.scenarios.experiments.handed.rule import Handed, Rows, plain_label

OTHERS = {"spahm": "fuses sparse GPs", "ensemble": "asks models for predictions alone"}
"""What other rules do, for models that are no networks."""

__all__ = ["class_rows", "networks_behind", "scores", "size_words"]


def networks_behind(handed: Handed, rule: str, least_hidden: int) -> tuple[Network, ...]:
    """The networks behind the models. Raises ValueError, path first, for a model that has none."""
    networks = []
    for path, expert in zip(handed.paths, handed.experts, strict=True):
        if not isinstance(expert.parameters, Network):
            other = "spahm" if isinstance(expert.parameters, SparseGP) else "ensemble"
            raise ValueError(
                f"{path}: {rule} fuses the weights of neural networks, and this model shows none: take --rule "
                f"{other}, which {OTHERS[other]}"
            )
        networks.append(expert.parameters)
    try:
        return checked_networks(networks, "relu", least_hidden)
    except ValueError as problem:
        raise ValueError(_by_path(str(problem), handed.paths)) from problem


def _by_path(words: str, paths: Sequence[str]) -> str:
    """A message about models by number, with their paths."""
    for place in reversed(range(len(paths))):
        words = words.replace(f"network {place}", paths[place]).replace(f"Network {place}", paths[place])
    return words


def class_rows(handed: Handed, networks: Sequence[Network]) -> list[tuple[Array, Array]]:
    """The owners' rows with the classes as the networks name them, or by number."""
    if handed.shards and len(networks[0].biases[-1]) == 1:
        raise ValueError(
            "--shards: rows choose and weigh by their classes, and these networks predict a number: leave --shards out"
        )
    return [(rows.x, _labels(rows, networks[0])) for rows in handed.shards]


def _labels(rows: Rows, network: Network) -> Array:
    labels = range(len(network.biases[-1])) if network.classes is None else network.classes.tolist()
    by_text = {plain_label(label): label for label in labels}
    foreign = [label for label in np.unique(rows.y).tolist() if label not in by_text]
    if foreign:
        raise ValueError(f"--shards: has a class {foreign[0]!r} that the models do not have: {', '.join(by_text)}")
    return np.array([by_text[label] for label in rows.y.tolist()])


def size_words(network: Network) -> str:
    """The hidden units of a network, in words."""
    if not network.widths:
        return "no hidden units"
    return f"{' + '.join(map(str, network.widths))} hidden units"


def scores(networks: Sequence[Network], fused: Network, shards: Sequence[tuple[Array, Array]]) -> list[str]:
    """How many rows of all owners the networks get right, in words."""
    if not shards:
        return []
    x = np.concatenate([rows for rows, _ in shards])
    y = np.concatenate([labels for _, labels in shards])
    own, after = [_right(network, x, y) for network in networks], _right(fused, x, y)
    local = f"{percent(float(np.mean(own)))} in the mean, {percent(min(own))} of the worst model"
    return [
        f"of the {counted(len(y), 'row')} of all owners the models get right {local}; the fused one {percent(after)}"
    ]


def _right(network: Network, x: Array, y: Array) -> float:
    numbers = network.outputs(x).argmax(axis=1)
    labels = numbers if network.classes is None else network.classes[numbers]
    return float((labels == y).mean())
