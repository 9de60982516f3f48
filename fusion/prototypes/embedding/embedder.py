"""The published method: an embedding of black boxes, and a task as a distribution of styles within it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Booleans, Indices
from coolgp.agents.experts.task import Task
from coolgp.fusion.prototypes.certificate import Certificate
from coolgp.fusion.prototypes.checks import require_count, require_range
from coolgp.fusion.prototypes.consulted import asked
from coolgp.fusion.prototypes.embedding.adaptation import Examples, Risk, risk
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.forms import FORMS, Context, Embedded, Moves, embedded
from coolgp.fusion.prototypes.embedding.read_out import READ_OUTS, log_joint, log_joint_near
from coolgp.fusion.prototypes.embedding.records import Records, described, records_of
from coolgp.fusion.prototypes.embedding.training import Terms, Training, trained
from coolgp.fusion.prototypes.method import Adapted, NewTask, Owners
from coolgp.network.base.randomness import generator

__all__ = ["Embedding"]


COUNTS = (
    *("styles", "concepts", "concepts_adapting", "style", "concept", "hidden", "epochs", "batch"),
    *("steps", "joint_epochs"),
)
"""Settings that are whole numbers."""
FEW = 3.0
"""Concepts that explain an example, below which the nearest decoded image decides."""
NEAREST = (
    "fewer than three concepts explain an example, so that a prototype is hardly more than its nearest image: "
    "proposals=30 draws concepts near each query"
)


@dataclass(frozen=True)
class Embedding:
    """The embedding of Hoang et al., ICML 2020; inputs must lie in [0, 1].

    form: what a task moves, "lambda" its styles alone, with a certificate; "lambda+head" the head's last layer too;
    "joint" all nets; "auto" is "lambda" where experts know all classes, and else "joint". read_out: "soft" | "vote" |
    "mixture". styles, concepts: draws of w and z for predictions, concepts_adapting: of z for the styles of a task.
    proposals: draws of z near each query, by importance sampling, in place of concepts that all share; 0: none.
    delta: how often the certificate may fail. style, concept, hidden: sizes of the nets; epochs, rate, batch, leakage:
    of their training; steps, step_rate: of the styles; weight: of the examples in the joint form.
    """

    form: str = "auto"
    read_out: str = "soft"
    styles: int = 32
    concepts: int = 1000
    concepts_adapting: int = 300
    proposals: int = 0
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
        require_count("embedding", "proposals", self.proposals, least=0)
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
class Trained:
    """An embedding of classes ``[K]``: its nets, their numbers ``[P]``, what they learned from, and the last terms."""

    classes: npt.NDArray[Any]
    nets: Architecture
    numbers: Array
    records: Records
    last: Terms


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
    def embeddings(self) -> dict[tuple[str, ...], Trained]:
        """Those trained so far, by all classes."""
        return {}

    def adapt(self, task: NewTask) -> Adapted:
        """See `Learner`."""
        settings, seed, names = self.settings, self.owners.seed, task.classes.astype(str)
        seen = np.isin(names, self.owners.classes.astype(str))
        embedding = self._trained(np.unique(np.concatenate([self.owners.classes.astype(str), names])))
        nets, examples = embedding.nets, self._examples(embedding, task)
        form = settings.form if settings.form != "auto" else "lambda" if seen.all() else "joint"
        random = generator(seed, "prototypes-adapt")
        concepts = generator(seed, "prototypes-concepts").normal(size=(settings.concepts, nets.concept))
        start = embedded(embedding.numbers, nets, examples.tau, concepts[: settings.concepts_adapting])
        moved = FORMS[form](start, examples, Context(embedding.records, self._training(), self._moves(), random))
        noise = generator(seed, "prototypes-styles").normal(size=(settings.styles, nets.style))
        draws = generator(seed, "prototypes-proposals").normal(size=(settings.proposals, nets.concept))
        outcome = risk(moved.numbers, nets, examples, moved.styles, noise, moved.concepts)
        order = np.argsort(np.argsort(names))
        model = Reader(settings, replace(moved, concepts=concepts), examples.within, noise, draws, order)
        details = {
            "form": form,
            "read-out": settings.read_out,
            "classes that experts know": task.classes[seen].tolist(),
        }
        few = outcome.effective < FEW and not settings.proposals
        loss = model.loss(task.x, task.places)  # as the model answers, with its own concepts
        certificate = Certificate(loss, outcome.divergence, len(task.x), settings.delta, form == "lambda")
        return Adapted(
            model,
            details | _numbers(certificate, outcome, start, embedding.last),
            certificate,
            (NEAREST,) if few else (),
        )

    def _examples(self, embedding: Trained, task: NewTask) -> Examples:
        """Raise ValueError where the task's descriptor is not like the experts'."""
        names, size = task.classes.astype(str), embedding.nets.descriptor
        tau = described(embedding.classes, names) if self.owners.descriptors is None else task.descriptor
        if tau is None or tau.shape != (size,):
            needed = f"a descriptor of {size} numbers for the task, as for the experts'"
            raise ValueError(f"embedding needs {needed}; got {'none' if tau is None else f'shape {tau.shape}'}")
        places = np.searchsorted(embedding.classes, names)[task.places]
        return Examples(task.x, places, tau, np.isin(embedding.classes, names), self.settings.delta)

    def _moves(self) -> Moves:
        own = self.settings
        return Moves(steps=own.steps, rate=own.step_rate, weight=own.weight, joint_epochs=own.joint_epochs)

    def _training(self) -> Training:
        own = self.settings
        return Training(own.epochs, own.rate, own.batch, own.leakage)

    def _trained(self, classes: npt.NDArray[Any]) -> Trained:
        """An embedding for these classes, trained where there is none yet."""
        key = tuple(classes.tolist())
        if key not in self.embeddings:
            records = self._records(classes)
            own, sizes = self.settings, (records.x.shape[1], len(classes), records.tau.shape[1])
            nets = Architecture(*sizes, own.style, own.concept, own.hidden)
            random = generator(self.owners.seed, "prototypes-embedding")
            numbers, history = trained(nets.initial(random), nets, records, self._training(), random)
            self.embeddings[key] = Trained(classes, nets, numbers, records, history[-1])
        return self.embeddings[key]

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

    draws ``[S, d_z]``: of the proposals for each query; none, where all queries share the embedding's concepts.
    Classes stand in the order of their names within an embedding, and in their own in a task.
    """

    settings: Embedding
    embedding: Embedded
    within: Booleans
    noise: Array
    draws: Array
    order: npt.NDArray[np.intp]

    def predict_proba(self, x: Array) -> Array:
        """See `Model`."""
        return self.answered(x, self.settings.read_out)

    def answered(self, x: Array, read_out: str) -> Array:
        """Probabilities ``[Q, C]`` at x ``[Q, D]`` by a read-out."""
        asked = self.embedding, x, self.within, self.noise
        logs = log_joint_near(*asked, self.draws) if len(self.draws) else log_joint(*asked)
        return READ_OUTS[read_out](logs)[:, self.order]

    def loss(self, x: Array, places: Indices) -> float:
        """Of a drawn prototype, mean over styles and rows x ``[M, D]`` of these classes ``[M]``."""
        return float(1.0 - self.answered(x, "soft")[np.arange(len(x)), places].mean())


def _numbers(certificate: Certificate, outcome: Risk, start: Embedded, last: Terms) -> dict[str, Any]:
    """What came of a task, and of the embedding before it."""
    return {
        "loss on the examples": certificate.loss,
        "width of the bound": outcome.width,
        "divergence from the prior, nats": outcome.divergence,
        "concepts that explain an example": f"{outcome.effective:.1f} of {len(start.concepts)}",
        "evidence bound of a record, nats": last.bound,
        "what styles tell of answers, nats": last.critic,
    }
