"""The published method: an embedding of black boxes, and a task as a distribution of styles within it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.experts.task import Task
from coolgp.fusion.prototypes.adaptation import Examples, risk
from coolgp.fusion.prototypes.architecture import Architecture
from coolgp.fusion.prototypes.checks import require_count, require_range
from coolgp.fusion.prototypes.consulted import asked
from coolgp.fusion.prototypes.embedding import Terms, Training, trained
from coolgp.fusion.prototypes.forms import FORMS, Context, Embedded, Moves, embedded
from coolgp.fusion.prototypes.method import Adapted, NewTask, Owners
from coolgp.fusion.prototypes.read_out import READ_OUTS, log_joint
from coolgp.fusion.prototypes.records import Records, described, records_of
from coolgp.network.base.randomness import generator

__all__ = ["Embedding"]


COUNTS = (
    *("styles", "concepts", "concepts_adapting", "style", "concept", "hidden", "epochs", "batch"),
    *("steps", "joint_epochs"),
)
"""Settings that are whole numbers."""


@dataclass(frozen=True)
class Embedding:
    """The embedding of Hoang et al., ICML 2020; inputs must lie in [0, 1].

    form: what a task moves, "lambda" its styles alone, with a certificate; "lambda+head" the head's last layer too;
    "joint" all nets; "auto" is "lambda" where experts know all classes, and else "joint". read_out: "soft" | "vote" |
    "mixture". styles, concepts: draws of w and z for predictions, concepts_adapting: of z for the styles of a task.
    delta: how often the certificate may fail. style, concept, hidden: sizes of the nets; epochs, rate, batch, leakage:
    of their training; steps, step_rate: of the styles; weight: of the examples in the joint form.
    """

    form: str = "auto"
    read_out: str = "soft"
    styles: int = 32
    concepts: int = 1000
    concepts_adapting: int = 300
    delta: float = 0.05
    style: int = 2
    concept: int = 5
    hidden: int = 100
    epochs: int = 40
    rate: float = 2e-3
    batch: int = 64
    leakage: float = 1.0
    steps: int = 60
    step_rate: float = 0.05
    weight: float = 5.0
    joint_epochs: int = 8

    def __post_init__(self) -> None:
        if self.form not in ("auto", *FORMS):
            raise ValueError(f"embedding needs form auto | {' | '.join(FORMS)}; got {self.form!r}")
        if self.read_out not in READ_OUTS:
            raise ValueError(f"embedding needs read_out {' | '.join(READ_OUTS)}; got {self.read_out!r}")
        require_range("embedding", "delta", self.delta, 0.0, 1.0)
        for name in COUNTS:
            require_count("embedding", name, getattr(self, name))
        for name in ("rate", "step_rate"):
            require_range("embedding", name, getattr(self, name), 0.0, np.inf)

    def learner(self, owners: Owners) -> Embedder:
        """See `Method`."""
        low, high = owners.pool.min(), owners.pool.max()
        if low < 0.0 or high > 1.0:
            raise ValueError(f"embedding needs inputs within 0 and 1, as grey levels; got {low:.3g} to {high:.3g}")
        given = asked(owners.boxes, owners.pool, Task(tuple(map(str, owners.classes.tolist()))))
        answering = np.array([box.failure is None for box in owners.boxes])
        return Embedder(self, owners, given, answering)


@dataclass(frozen=True)
class Embedder:
    """See `Learner`. given ``[N, U, K]``: the experts' answers; answering ``[N]``: experts that did not fail.

    Nets are trained when the first task comes, for only then are all classes known; tasks of the same classes share
    them.
    """

    settings: Embedding
    owners: Owners
    given: Array
    answering: Booleans

    @cached_property
    def nets(self) -> dict[tuple[str, ...], tuple[Architecture, Array, Records, list[Terms]]]:
        """Those trained so far, by all classes."""
        return {}

    def adapt(self, task: NewTask) -> Adapted:
        """See `Learner`."""
        settings, seed = self.settings, self.owners.seed
        theirs, names = self.owners.classes.astype(str), task.classes.astype(str)
        classes = np.unique(np.concatenate([theirs, names]))
        nets, numbers, records, history = self._trained(classes)
        tau = described(classes, names) if self.owners.descriptors is None else task.descriptor
        if tau is None or tau.shape != (nets.descriptor,):
            needed = f"a descriptor of {nets.descriptor} numbers for the task, as for the experts'"
            raise ValueError(f"embedding needs {needed}; got {'none' if tau is None else f'shape {tau.shape}'}")
        form = settings.form if settings.form != "auto" else "lambda" if np.isin(names, theirs).all() else "joint"
        random = generator(seed, "prototypes-adapt")
        concepts = generator(seed, "prototypes-concepts").normal(size=(settings.concepts, nets.concept))
        start = embedded(numbers, nets, tau, concepts[: settings.concepts_adapting])
        examples = Examples(
            task.x, np.searchsorted(classes, names)[task.places], tau, np.isin(classes, names), settings.delta
        )
        moves = Moves(
            steps=settings.steps, rate=settings.step_rate, weight=settings.weight, joint_epochs=settings.joint_epochs
        )
        moved = FORMS[form](start, examples, Context(records, self._training(), moves, random))
        noise = generator(seed, "prototypes-styles").normal(size=(settings.styles, nets.style))
        outcome = risk(moved.numbers, nets, examples, moved.styles, noise, moved.concepts)
        model = Reader(
            settings, replace(moved, concepts=concepts), examples.within, noise, np.argsort(np.argsort(names))
        )
        last = history[-1]
        details = {
            "form": form,
            "read-out": settings.read_out,
            "classes that experts know": task.classes[np.isin(names, theirs)].tolist(),
            "loss on the examples": outcome.loss,
            "divergence from the prior, nats": outcome.divergence,
            "evidence bound of a record, nats": last.bound,
            "what styles tell of answers, nats": last.critic,
        }
        return Adapted(model, details, outcome.bound, form == "lambda")

    def _training(self) -> Training:
        own = self.settings
        return Training(own.epochs, own.rate, own.batch, own.leakage)

    def _trained(self, classes: npt.NDArray[Any]) -> tuple[Architecture, Array, Records, list[Terms]]:
        """Nets for these classes, their numbers, what they were trained on, and how it went."""
        key = tuple(classes.tolist())
        if key not in self.nets:
            records = self._records(classes)
            own, sizes = self.settings, (records.x.shape[1], len(classes), records.tau.shape[1])
            nets = Architecture(*sizes, own.style, own.concept, own.hidden)
            random = generator(self.owners.seed, "prototypes-embedding")
            numbers, history = trained(nets.initial(random), nets, records, self._training(), random)
            self.nets[key] = nets, numbers, records, history
        return self.nets[key]

    def _records(self, classes: npt.NDArray[Any]) -> Records:
        """Of experts that answered, in the order of their names, so that the order of handing over changes nothing."""
        theirs, boxes = self.owners.classes.astype(str), self.owners.boxes
        given = np.zeros((*self.given.shape[:2], len(classes)))
        given[:, :, np.searchsorted(classes, theirs)] = self.given
        labels = [np.asarray(getattr(box.model, "classes", ())).astype(str) for box in boxes]
        tau = self.owners.descriptors
        tau = np.stack([described(classes, of) for of in labels]) if tau is None else tau
        order = [at for at in np.argsort([box.name for box in boxes], kind="stable").tolist() if self.answering[at]]
        return records_of(self.owners.pool, given[order], tau[order])


@dataclass(frozen=True)
class Reader:
    """See `Model`. within ``[K]``: the task's classes; noise ``[n, d]``: of the styles; order ``[C]``: of the answers.

    Classes stand in the order of their names within an embedding, and in their own in a task.
    """

    settings: Embedding
    embedding: Embedded
    within: Booleans
    noise: Array
    order: npt.NDArray[np.intp]

    def predict_proba(self, x: Array) -> Array:
        """See `Model`."""
        logs = log_joint(self.embedding, x, self.within, self.noise)
        return READ_OUTS[self.settings.read_out](logs)[:, self.order]
