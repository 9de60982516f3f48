"""Entries of the table of columns for what is not in ``metrics.csv`` of the loop of rounds.

These are traffic, hyper-parameters, and what other kinds of scenario compute.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.metrics.column import HYPERPARAMETERS, TARGET, TRAFFIC, Column
from coolgp.scenarios.metrics.evaluated import Evaluated
from coolgp.scenarios.metrics.few_shot_columns import FEW_SHOT_COLUMNS
from coolgp.scenarios.metrics.head_columns import HEAD_COLUMNS
from coolgp.scenarios.metrics.matched_columns import MATCHED_COLUMNS
from coolgp.scenarios.metrics.newcomer_columns import NEWCOMER_COLUMNS

__all__ = ["OTHER_COLUMNS"]


def _of_probes(name: str, words: str, meaning: str, value: Callable[[Evaluated], Array], **more: Any) -> Column:
    """A column of ``hyperparameters.csv``: mean and spread over probes."""
    place: dict[str, Any] = {"files": (HYPERPARAMETERS,), "spread": True}
    return Column(name=name, words=words, meaning=meaning, value=value, **place, **more)


def _timed(method: str, words: str) -> tuple[Column, Column]:
    """Error and seconds of a method that is timed beside the agents (``kind = "timing"``)."""
    return (
        Column(
            name=f"rmse_{method}",
            words=f"RMSE of {words}",
            meaning=f'of `kind = "timing"`: root mean square error after the same rows, {words}',
            unit=TARGET,
            better="lower",
            files=(),
        ),
        Column(
            name=f"seconds_{method}",
            words=f"time of {words}",
            meaning=f'of `kind = "timing"`: time of the round, {words}',
            unit="s",
            better="lower",
            summed=True,
            files=(),
        ),
    )


def _elsewhere(whose: str, name: str, words: str, meaning: str, **more: Any) -> tuple[Column, Column]:
    """A score that another kind of scenario writes, before and after fusion; whose: of which models it is."""
    told = f"{whose}{meaning}"
    return (
        Column(name=f"{name}_pre", words=f"{words} before fusion", meaning=told, files=(), **more),
        Column(name=f"{name}_post", words=f"{words} after fusion", meaning=told, files=(), **more),
    )


_APART = "of models trained apart: "
_CLASSES = "of models of classes: "
_apart = partial(_elsewhere, _APART)
_of_classes = partial(_elsewhere, _CLASSES)

OTHER_COLUMNS = (
    Column(
        name="bytes_on_rank",
        words="data sent within a rank",
        meaning="of the bytes sent, what stayed on a rank",
        value=lambda e: e.sent.near_bytes,
        unit="bytes",
        summed=True,
        files=(TRAFFIC,),
    ),
    Column(
        name="bytes_between_ranks",
        words="data sent between ranks",
        meaning="of the bytes sent, what MPI moved",
        value=lambda e: e.sent.far_bytes,
        unit="bytes",
        summed=True,
        files=(TRAFFIC,),
    ),
    _of_probes(
        "bound",
        "bound",
        "collapsed evidence lower bound of all data that a probe knows of after the exchange",
        lambda e: e.bound,
        unit="nats per observation",
        better="higher",
    ),
    _of_probes(
        "effective_sample_size",
        "effective sample size",
        'of the importance weights, with `encoding = "importance"` alone',
        lambda e: e.effective_sample_size,
        better="higher",
    ),
    _of_probes("inducing", "inducing inputs", "number of inducing inputs after the round", lambda e: e.inducing),
    _of_probes(
        "forged",
        "share of probes whose sums hold false messages",
        "share of probes whose sums are none that honest agents can make, by the number of agents in them; nothing is "
        "left out for it, and a sum that passes may be false as well",
        lambda e: e.forged,
        better="lower",
    ),
    _of_probes(
        "uncovered",
        "share of the round's inputs outside the coverage of the inducing inputs",
        "share of a probe's new rows whose coverage `κᵀK⁻¹κ` by the inducing inputs is below `agents.coverage`",
        lambda e: e.uncovered,
        better="lower",
    ),
    _of_probes(
        "lengthscale_{feature}",
        "length-scale of {feature} (scaled input)",
        "a length-scale for each input, of the scaled one",
        lambda e: e.lengthscale,
    ),
    _of_probes("signal_variance", "signal variance", "of the scaled target", lambda e: e.signal_variance),
    _of_probes("noise_variance", "noise variance", "of the scaled target", lambda e: e.noise_variance),
    *_timed("dtc", "central DTC, recomputed in each round"),
    *_timed("pitc", "central PITC, recomputed in each round"),
    *_timed("incremental", "central DTC that adds to its sums"),
    *_timed("local", "an agent that learns hyper-parameters"),
    Column(
        name="rmse_beside",
        words="mean RMSE of the study beside the run",
        meaning='of `kind = "side-by-side"`: mean of `rmse_post` over the runs of the study, at their ends',
        unit=TARGET,
        better="lower",
        files=(),
    ),
    *_of_classes(
        "accuracy",
        "accuracy",
        "share of test rows whose class has the largest probability, mean over agents",
        better="higher",
        spread=True,
    ),
    *_of_classes(
        "brier",
        "Brier score",
        "mean square difference of the probability of the second class from 1 where a test row is of it, else 0",
        better="lower",
    ),
    *_apart("accuracy_worst", "accuracy of the worst agent", "accuracy of the worst agent", better="higher"),
    *_apart("rmse_worst", "RMSE of the worst agent", "RMSE of the worst agent", unit=TARGET, better="lower"),
    *_of_classes(
        "log_loss",
        "log loss",
        "mean negative log probability of the class; probabilities below 1e-15 count as that",
        unit="nats",
        better="lower",
    ),
    *_of_classes(
        "calibration_error",
        "expected calibration error",
        "mean distance of confidence, the largest probability, from accuracy, over 15 bins of confidence",
        better="lower",
    ),
    Column(
        name="queries",
        words="queries answered for others",
        meaning=f"{_APART}rows that models answered for other agents, all agents together; a row that was answered "
        "before is not asked for again",
        better="lower",
        summed=True,
        files=(),
    ),
    Column(
        name="density_queries",
        words="pairs (x, y) whose densities were asked for",
        meaning=f"{_APART}pairs of input and output whose density, or probability, models were asked for, all agents "
        "together; 0 for rules that ask for predictions alone",
        better="lower",
        summed=True,
        files=(),
    ),
    Column(
        name="left_out",
        words="models left out",
        meaning=f"{_APART}models that failed so far and are left out",
        better="lower",
        files=(),
    ),
    Column(
        name="parameters",
        words="numbers of a fused model",
        meaning=f"{_APART}numbers that an agent needs to predict by itself (weights and biases; inducing inputs and "
        "evidence), mean over agents; empty where models do not say",
        better="lower",
        files=(),
    ),
    Column(
        name="fused_inducing",
        words="inducing inputs of a fused model",
        meaning=f"{_APART}inducing inputs of the fused sparse GP; empty for other models",
        better="lower",
        files=(),
    ),
    Column(
        name="dropped",
        words="inducing inputs dropped",
        meaning=f"{_APART}inducing inputs of the owners with none in their place in the fused sparse GP; empty for "
        "other models",
        files=(),
    ),
    Column(
        name="imitation_divergence",
        words="divergence of surrogates",
        meaning=f"{_APART}divergence from surrogates to the models that they imitate, at inputs held out, mean over "
        "agents; empty for rules that imitate none",
        unit="nats",
        better="lower",
        files=(),
    ),
    Column(
        name="imitation_error",
        words="error of surrogates",
        meaning=f"{_APART}root mean square difference of the means of surrogates and of the models that they imitate, "
        "or the share of inputs to which they give another class, at inputs held out, mean over agents; empty for "
        "rules that imitate none",
        unit=TARGET,
        better="lower",
        files=(),
    ),
    Column(
        name="seconds_training",
        words="time of training",
        meaning=f"{_APART}time of training the models before the round, on the rank that writes",
        unit="s",
        better="lower",
        summed=True,
        files=(),
    ),
    *MATCHED_COLUMNS,
    *NEWCOMER_COLUMNS,
    *FEW_SHOT_COLUMNS,
    *HEAD_COLUMNS,
)
