"""Entries of the table of columns for scenarios that match sets of vectors (``[vectors]``)."""

from __future__ import annotations

from typing import Any

from coolgp.scenarios.metrics.column import Column

__all__ = ["MATCHED_COLUMNS", "METHOD_WORDS"]

METHOD_WORDS = {
    "spahm": "SPAHM",
    "published": "SPAHM, published settings",
    "spahm_variances": "SPAHM, variances of the means",
    "greedy": "greedy matching",
    "kmeans": "k-means, k = 50",
    "kmeans_used": "k-means, true k",
    "kmeans_points": "k-means of all points, true k",
    "all": "all vectors, nothing matched",
    "local": "local models, nothing matched",
    "joint": "one model of all sequences",
    "kmeans_alike": "k-means of the centres, k as SPAHM",
    "random_alike": "random centres, as many as SPAHM",
    "own": "one owner's topics, mean",
    "kmeans_rows": "k-means of all images, k as SPAHM",
    "balanced": "balanced tree",
    "chain": "chain",
    "random_tree": "random tree",
    "balanced_walk": "balanced tree, then a walk",
    "chain_walk": "chain, then a walk",
    "random_walk": "random tree, then a walk",
    "token": "token, one walk",
    "token_again": "token, two walks",
}
"""What each method is called, by the end of its columns' names."""
_COPIES = ("spahm", "published", "greedy", "kmeans", "kmeans_used", "kmeans_points", "all")
_STATES = ("spahm", "spahm_variances", "greedy", "kmeans_used", "local", "joint")
_TOPICS = ("spahm", "spahm_variances", "greedy", "kmeans_alike", "random_alike", "all", "own", "kmeans_rows")
_BY_MESSAGES = (
    *("balanced", "chain", "random_tree", "balanced_walk", "chain_walk", "random_walk"),
    *("token", "token_again"),
)
_ORDERS = ("spahm", *_BY_MESSAGES)
_MATCHED = "of sets of vectors, mean over draws: "


def _compared(methods: tuple[str, ...], name: str, words: str, meaning: str, **more: Any) -> tuple[Column, ...]:
    """A score of every method."""
    return tuple(
        Column(
            name=f"{name}_{method}",
            words=f"{words}, {METHOD_WORDS[method]}",
            meaning=f"{_MATCHED}{meaning}",
            files=(),
            **more,
        )
        for method in methods
    )


def _fact(name: str, words: str, meaning: str) -> Column:
    return Column(name=name, words=words, meaning=f"{_MATCHED}{meaning}", files=())


MATCHED_COLUMNS = (
    *_compared(
        _COPIES,
        "hausdorff",
        "Hausdorff distance to the true atoms",
        "largest distance from an atom, true or found, to the nearest of the others",
        better="lower",
    ),
    *_compared((*_COPIES, *_BY_MESSAGES), "atoms", "atoms found", "number of atoms found"),
    *_compared(
        _ORDERS,
        "label_rand",
        "adjusted Rand index of labels",
        "adjusted Rand index of the atoms that all vectors share, and the true ones",
        better="higher",
    ),
    *_compared(_ORDERS, "bytes", "bytes sent", "bytes of all messages between groups", better="lower"),
    *_compared(
        _STATES,
        "rand",
        "adjusted Rand index",
        "adjusted Rand index of the state paths of all groups under global names, and the true ones",
        better="higher",
    ),
    *_compared(
        _STATES,
        "agreement",
        "share of steps with the true state",
        "share of steps with the true state under the best one-to-one naming: 1 less the normalised Hamming distance",
        better="higher",
    ),
    *_compared(_STATES, "states", "states found", "number of states in the paths of all groups"),
    *_compared(
        _TOPICS,
        "topic_accuracy",
        "share of images with the digit of their topic",
        "share of test images with the digit that is most frequent among training images of the same nearest topic",
        better="higher",
    ),
    *_compared(
        _TOPICS,
        "topic_distance",
        "distance of images from their topics",
        "root mean square distance of test images, without noise, from the nearest topic",
        better="lower",
    ),
    *_compared(_TOPICS, "topics", "topics found", "number of topics"),
    _fact(
        "noise",
        "standard deviation of a copy",
        "standard deviation of a group's copy of an atom, in each dimension; of the noise of a pixel",
    ),
    _fact("used", "true atoms", "number of true atoms or states that a group has; of digits"),
    _fact("noise_found", "standard deviation of a copy, as found", "what SPAHM takes `noise` to be"),
    _fact(
        "prior_deviation_found",
        "standard deviation of atoms, as found",
        "standard deviation of atoms around their mean, as SPAHM finds it; drawn with √50",
    ),
)
