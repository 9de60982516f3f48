"""How good models are before and after a round of fusion: of every agent, on the test rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.rule import KnownAfterwards
from coolgp.network.delivery import Meter
from coolgp.network.transport import Transport
from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.experiments.apart.baselines import BASELINES, baseline_rows
from coolgp.scenarios.experiments.apart.prepared import Prepared
from coolgp.scenarios.experiments.apart.scoring import ClassScoring, NumberScoring
from coolgp.scenarios.experiments.apart.tables import Answers, agent_rows, reliability_rows, shard_rows
from coolgp.scenarios.experiments.experiment import Row

__all__ = ["Evaluation", "Spent"]

FIDELITY = ("imitation_divergence", "imitation_error")
TRAFFIC = ("rounds", "messages", "lost", "bytes")


@dataclass(frozen=True)
class Spent:
    """What a round took on this rank: messages, seconds of fusion, seconds of training before it.

    left_out: models of all ranks that failed so far.
    """

    sent: Meter
    seconds: float
    training: float
    left_out: int = 0


class Evaluation:
    """Asks all agents after each round. scoring: of answers."""

    def __init__(self, prepared: Prepared, transport: Transport) -> None:
        self.prepared, self.transport = prepared, transport
        self.scoring = (ClassScoring if prepared.task.labels else NumberScoring)(prepared.dataset, prepared.scaler)
        self.last: Answers | None = None
        self.asked = np.zeros(2, dtype=np.int64)

    def __call__(self, round: int, members: Members, fused: Fused, spent: Spent) -> Row | None:
        """The line of a round on the root, None elsewhere. Collective."""
        traffic = self.transport.total(np.array([getattr(spent.sent, name) for name in TRAFFIC[1:]]))
        asked = self.transport.total(np.array([fused.queries, fused.density_queries]))
        queries, self.asked = asked - self.asked, asked
        before, after = self.transport.gather(members.answers), self.transport.gather(fused.answers)
        parameters = self.transport.gather(fused.parameters)
        each = self.transport.gather(np.array([float(box.used) for box in members.boxes]))
        imitation = None if fused.fidelity is None else self.transport.gather(fused.fidelity)
        if before is None or after is None or parameters is None or each is None:
            return None
        fidelity = {} if imitation is None else self.fidelity(imitation)
        rule = self.prepared.rule
        if isinstance(rule, KnownAfterwards):
            best = rule.chosen(self.scoring.losses(before))
            after, parameters = np.broadcast_to(before[best], before.shape), np.full(len(before), parameters[best])
        self.last = Answers(before, after, {"asked": each.astype(int)} | fidelity)
        scores = self.scoring.scores(before, after)
        row = {
            "round": round,
            **scores,
            "communication_rounds": spent.sent.rounds,
            **dict(zip(TRAFFIC[1:], map(int, traffic), strict=True)),
            "queries": int(queries[0]),
            "density_queries": int(queries[1]),
            "parameters": float(parameters.mean()),
            "left_out": spent.left_out,
            "fused_inducing": fused.inducing,
            "dropped": fused.dropped,
            **{name: float(np.nanmean(values)) for name, values in fidelity.items()},
            "seconds": spent.seconds,
            "seconds_training": spent.training,
        }
        return {name: value for name, value in row.items() if value is not None and np.isfinite(value)}

    def fidelity(self, imitation: Array) -> dict[str, Array]:
        """Of surrogates ``[N, 2]``, by column ``[N]``, in units of the target."""
        scale = 1.0 if self.prepared.task.labels else self.prepared.scaler.y_scale
        return dict(zip(FIDELITY, (imitation * np.array([1.0, scale])).T, strict=True))

    def words(self, row: Row) -> str:
        """A row for people."""
        return f"{self.scoring.words(row)}, {size_text(row['bytes'])} in {row['messages']:,} messages"

    def store(self, folder: Path) -> None:
        """Write the tables of the last round: of agents, of their rows, of calibration. On the root."""
        assert self.last is not None
        agents = agent_rows(self.prepared.training, self.prepared.dataset, self.last, self.scoring)
        kinds = self.prepared.kind_names
        write_table(folder / "agents.csv", [row | own for row, own in zip(agents, kinds, strict=True)])
        write_table(folder / BASELINES, baseline_rows(self.last.before, self.scoring))
        if self.prepared.task.labels:
            write_table(folder / "shards.csv", shard_rows(self.prepared.training, self.prepared.dataset))
            write_table(folder / "calibration.csv", reliability_rows(self.last, self.prepared.dataset.y_test))
