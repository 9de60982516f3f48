"""States of hidden Markov models that groups fitted apart, matched by SPAHM and by baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.sets.spahm import SPAHM, MatchedAtoms
from coolgp.fusion.matching.studies.outcome import COPY, Outcome, StudyDraw
from coolgp.fusion.matching.studies.simulated import STARTS
from coolgp.fusion.matching.studies.states import (
    FittedStates,
    Recording,
    agreement,
    drawn_recordings,
    fitted_states,
    pooled_covariances,
    rand,
)

__all__ = ["StatesStudy"]

Labels = Sequence[Indices]
"""J arrays ``[k_j]``, the global state of every local one."""
Count = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class StatesStudy:
    """States of Gaussian hidden Markov models, each fitted by one group to its own sequences (needs hmmlearn).

    groups: that fit a model. sequences: of each group. length: steps of a sequence. dimensions: of an observation.
    shared: states that all groups have. own: states that a group has alone. states: of a fitted model; 0: as many as
    the group has. starts: of every fit. covariance: matrices that are fitted.
    """

    measures: ClassVar[tuple[str, ...]] = ("rand", "agreement", "states")
    facts: ClassVar[tuple[str, ...]] = ("noise_found", "seconds_training")
    extra: ClassVar[tuple[str, ...]] = ("hmm", "hmmlearn")
    level: ClassVar[str] = COPY
    truth: ClassVar[str] = "true ones"
    methods: ClassVar[tuple[str, ...]] = ("spahm", "spahm_variances", "greedy", "kmeans_used", "local", "joint")
    remarks: ClassVar[tuple[str, ...]] = (
        "SPAHM never merges two states of one group: where a local fit splits a state in two, both halves stay, and "
        "k-means, which may merge them, can be better.",
        "“Variances of the means” takes each state's mean to be as uncertain as its fit says and copies to differ by "
        "nothing else, so it matches ever fewer states as the noise grows.",
        "“One model of all sequences” sees all data and knows the number of states; fits are the best of several "
        "starts and may still miss the best one.",
    )

    groups: Annotated[int, Ge(2)] = 2
    sequences: Count = 3
    length: Annotated[int, Ge(10)] = 300
    dimensions: Count = 12
    shared: Count = 8
    own: Annotated[int, Ge(0)] = 3
    states: Annotated[int, Ge(0)] = 0
    starts: Count = 4
    covariance: Literal["full", "diag"] = "full"

    def drawn(self, noise: float, seed: int, settings: SPAHM) -> StudyDraw:
        """See `SetsStudy`. Raises ImportError: hmmlearn."""
        recordings = self._recordings(noise, seed)
        used, started = len(np.unique(np.concatenate([own.states for own in recordings]))), perf_counter()
        models = [
            fitted_states(own.sequences, self.states or own.count, self.starts, seed, self.covariance)
            for own in recordings
        ]
        training, started = perf_counter() - started, perf_counter()
        matched = settings.match([model.means for model in models])
        outcomes = {"spahm": _outcome(recordings, models, matched.labels, perf_counter() - started)}
        for name, method in _baselines(models, settings, used, seed).items():
            started = perf_counter()
            labels = method()
            outcomes[name] = _outcome(recordings, models, labels, perf_counter() - started)
        outcomes["joint"] = self._joint(recordings, used, seed)
        facts = {"noise_found": float(np.sqrt(matched.noise_variance.mean())), "seconds_training": training}
        return StudyDraw(used, outcomes, facts, _arrays(models, matched))

    def _recordings(self, noise: float, seed: int) -> list[Recording]:
        return drawn_recordings(
            seed,
            groups=self.groups,
            sequences=self.sequences,
            length=self.length,
            dimensions=self.dimensions,
            shared=self.shared,
            own=self.own,
            noise=noise,
        )

    def _joint(self, recordings: Sequence[Recording], count: int, seed: int) -> Outcome:
        """One model of all sequences of all groups, with as many states as there are: what nobody here can fit."""
        sequences = [sequence for own in recordings for sequence in own.sequences]
        started = perf_counter()
        path = fitted_states(sequences, count, self.starts, seed, self.covariance).path
        return _scored(recordings, path, perf_counter() - started)


def _baselines(
    models: Sequence[FittedStates], settings: SPAHM, count: int, seed: int
) -> dict[str, Callable[[], Labels]]:
    means = [model.means for model in models]
    greedy = replace(settings, solver="greedy", sweeps=0)
    uncertainty = [
        np.diagonal(model.covariances, axis1=1, axis2=2) / np.maximum(model.rows, 1.0)[:, None] for model in models
    ]
    return {
        "local": lambda: _split(np.arange(sum(map(len, means))), means),
        "kmeans_used": lambda: _clustered(means, count, seed),
        "greedy": lambda: greedy.match(means).labels,
        "spahm_variances": lambda: settings.match(means, uncertainty).labels,
    }


def _clustered(means: Sequence[Array], count: int, seed: int) -> Labels:
    """Clusters of all means; nothing keeps two states of one group apart."""
    from sklearn.cluster import KMeans

    rows = np.concatenate(means)
    clusters = KMeans(n_clusters=min(count, len(rows)), n_init=STARTS, random_state=seed).fit(rows)
    return _split(np.asarray(clusters.labels_), means)


def _split(labels: Indices, means: Sequence[Array]) -> Labels:
    return np.split(labels, np.cumsum([len(own) for own in means])[:-1])


def _outcome(
    recordings: Sequence[Recording], models: Sequence[FittedStates], labels: Labels, seconds: float
) -> Outcome:
    """Score the paths of all groups under global names."""
    return _scored(recordings, np.concatenate([own[m.path] for own, m in zip(labels, models, strict=True)]), seconds)


def _scored(recordings: Sequence[Recording], path: Indices, seconds: float) -> Outcome:
    truth = np.concatenate([own.states for own in recordings])
    states = float(len(np.unique(path)))
    return Outcome({"rand": rand(truth, path), "agreement": agreement(truth, path), "states": states}, seconds)


def _arrays(models: Sequence[FittedStates], matched: MatchedAtoms) -> dict[str, Array | Indices]:
    """Matched states: means, covariances, groups that have each, and the state of each local one, group by group."""
    return {
        "atoms": matched.atoms,
        "covariances": pooled_covariances(models, matched.labels, matched.atoms),
        "counts": matched.counts,
        "labels": np.concatenate(matched.labels),
    }
