"""Training the models of a rank's agents, side by side on its cores; each is kept in the run folder when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from coolgp.agents.blocks import cores
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.formats.files import read_model_file, write_model_file
from coolgp.agents.experts.models.base import Seeds, TrainedModel, TrainsOn, first_of, kind_of, kinds_of, labelled
from coolgp.agents.experts.models.fitting import unconverged_allowed
from coolgp.agents.experts.models.residuals import residual_std, with_constant_std, with_std
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import with_network
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.experiments.apart.prepared import Prepared

__all__ = ["MODELS_FOLDER", "STD_ENDING", "Progress", "not_kept", "pooled", "seeds_of", "trained", "trained_on"]

MODELS_FOLDER = "experts"
"""In the run folder: the models, a file each."""
STD_ENDING = ".std.txt"
"""Of a file beside that of a model: the one standard deviation that it has everywhere, in scaled units."""
PURPOSE = "model training"
Progress = Callable[[int, int, float], bool]
"""Called with how many of a rank's models are done, how many it has, and seconds since the one before. Says whether
to go on: where not, models that have not begun are not trained."""


def trained(prepared: Prepared, agents: Sequence[int], folder: Path, progress: Progress) -> list[Expert]:
    """The experts of these agents (global ids), in their order: those in the folder, and others that are trained.

    Without those that `progress` called off.
    """
    experts: dict[int, Expert] = {}
    last = perf_counter()

    def one(agent: int) -> Expert:
        std = _std(prepared, agent, folder)  # before the model: where that is kept, this is too
        return with_constant_std(_labelled(prepared, agent, _model(prepared, agent, folder)), std)

    with unconverged_allowed(), ThreadPoolExecutor(max(1, min(cores(), len(agents)))) as pool:
        waiting = {pool.submit(one, agent): agent for agent in agents}
        try:
            for done in as_completed(waiting):
                experts[waiting[done]] = done.result()
                before, last = last, perf_counter()
                if not progress(len(experts), len(agents), last - before):
                    pool.shutdown(wait=True, cancel_futures=True)
                    break
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [experts[agent] for agent in agents if agent in experts]


def pooled(prepared: Prepared) -> Expert:
    """A model trained on the rows of all agents."""
    rows, task, seeds = prepared.all_rows, prepared.task, _seeds(prepared, 0)
    kind = first_of(_kind(prepared), task)
    return with_std(labelled(kind.trained(rows, task, seeds), "pooled", task), kind, rows, task, seeds)


def trained_on(prepared: Prepared, agent: int, expert: Expert, network: Network, epochs: int, round: int) -> Expert:
    """The expert of an agent (global id) after so many epochs on its rows, from a network."""
    assert isinstance(prepared.kind, TrainsOn)
    seed = int(generator(prepared.scenario.run.seed, PURPOSE, block=agent, round=round).integers(2**31))
    rows = prepared.rows(agent)
    return with_network(expert, prepared.kind.trained_on(network, rows, prepared.task, epochs, seed))


def not_kept(kind: TrainedModel) -> str:
    """Why models of this kind, or some of them, are not kept in the run folder, for a warning; empty where all are."""
    endings = [each.ending for each in kinds_of(kind)]
    if not all(endings):
        which = "models of this kind" if not any(endings) else "some of the models"
        return f"{which} are not kept: if the run is stopped, coolgp resume trains them again"
    if not all(map(_can_be_kept, endings)):
        return 'models are not kept for coolgp resume, which needs skops: pip install "coolgp[skops]"'
    return ""


def _can_be_kept(ending: str) -> bool:
    return bool(ending) and (ending != ".skops" or find_spec("skops") is not None)


def _model(prepared: Prepared, agent: int, folder: Path) -> Any:
    """The model of an agent, from its file or trained and then stored."""
    kind = kind_of(_kind(prepared), agent)
    path = folder / MODELS_FOLDER / f"agent-{agent}{kind.ending}"
    if path.is_file():
        return read_model_file(path)
    model = kind.trained(prepared.rows(agent), prepared.task, _seeds(prepared, agent))
    if _can_be_kept(kind.ending):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_model_file(path, model)
    return model


def _std(prepared: Prepared, agent: int, folder: Path) -> float | None:
    """The standard deviation that cross-validation gives an agent's model, from its file or found and then stored."""
    path = folder / MODELS_FOLDER / f"agent-{agent}{STD_ENDING}"
    if path.is_file():
        return _number_in(path)
    kind = kind_of(_kind(prepared), agent)
    std = residual_std(kind, prepared.rows(agent), prepared.task, _seeds(prepared, agent))
    if std is not None and _can_be_kept(kind.ending):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, f"{std!r}\n".encode())
    return std


def _number_in(path: Path) -> float:
    try:
        return float(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(f"{path}: needed a number, the standard deviation of a model; remove the file") from problem


def _kind(prepared: Prepared) -> TrainedModel:
    assert prepared.kind is not None
    return prepared.kind


def _labelled(prepared: Prepared, agent: int, model: Any) -> Expert:
    return labelled(model, f"the model of agent {prepared.dataset.agents[agent]}", prepared.task)


def _seeds(prepared: Prepared, agent: int) -> Seeds:
    return seeds_of(prepared.scenario.run.seed, agent)


def seeds_of(seed: int, agent: int) -> Seeds:
    """Of the training of an agent's model (global id), by the seed that everything follows from."""
    own, common = (generator(seed, PURPOSE, block=block) for block in (agent, 0))
    return Seeds(int(own.integers(2**31)), int(common.integers(2**31)))
