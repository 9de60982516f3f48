"""The one table of columns: everything that a run writes round by round.

A new metric is one entry here, and a score in :mod:`coolgp.scenarios.metrics.scores` where it needs a new one. The
order of the entries is that of the columns in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS, PROBES, SUBSET, TARGET, TRAFFIC, Column
from coolgp.scenarios.metrics.evaluated import Evaluated
from coolgp.scenarios.metrics.other_columns import OTHER_COLUMNS
from coolgp.scenarios.metrics.scores import Forecast, coverage, crps, disagreement, nlpd, rmse

__all__ = ["ALL_COLUMNS", "COLUMNS"]

Score = Callable[[Forecast, Evaluated], Array]


def _scored(name: str, words: str, score: Score, **more: Any) -> tuple[Column, Column]:
    """A score ``[probes]`` of the forecasts before and after fusion, as two columns."""
    return (
        Column(name=f"{name}_pre", words=f"{words} before fusion", value=lambda e: score(e.before, e), **more),
        Column(name=f"{name}_post", words=f"{words} after fusion", value=lambda e: score(e.after, e), **more),
    )


def _curve(name: str, words: str, score: Score, **more: Any) -> tuple[Column, Column]:
    """The same on the test rows that are asked in every round."""
    meaning = f"`{name}_pre` and `{name}_post` on the test rows that are asked in every round, after the last one too"
    before, after = _scored(name, f"{words}, on the same test rows in each round,", score, **more, better="lower")
    return (
        replace(before, name=f"{before.name}{SUBSET}", meaning=meaning, value=lambda e: before.value(e.on_same_rows)),
        replace(after, name=f"{after.name}{SUBSET}", meaning=meaning, value=lambda e: after.value(e.on_same_rows)),
    )


def _covered(percent: int) -> Column:
    return Column(
        name=f"coverage{percent}_post",
        words=f"coverage of the central {percent} % interval after fusion",
        meaning=f"share of test rows inside the central interval of {percent} %",
        value=lambda e: coverage(e.after, e.y_test, e.asked, percent / 100),
        nominal=percent / 100,
    )


def _rmse(forecast: Forecast, evaluated: Evaluated) -> Array:
    return rmse(forecast, evaluated.y_test, evaluated.asked)


def _nlpd(forecast: Forecast, evaluated: Evaluated) -> Array:
    return nlpd(forecast, evaluated.y_test, evaluated.asked)


def _error(forecast: Forecast, evaluated: Evaluated) -> Array:
    if evaluated.truth is None:
        return np.full(len(evaluated.agents), np.nan)
    return rmse(forecast, evaluated.truth, evaluated.asked)


ALL_COLUMNS = (
    Column(
        name="round",
        words="round of learning",
        meaning="from 1",
        value=lambda e: e.round,
        files=(METRICS, TRAFFIC, PROBES, HYPERPARAMETERS),
    ),
    Column(
        name="agent",
        words="agent",
        meaning="label of the probe",
        value=lambda e: e.agents,
        files=(PROBES,),
    ),
    Column(
        name="observations",
        words="observations seen by all agents",
        meaning="seen by all agents so far",
        value=lambda e: e.observations,
    ),
    Column(
        name="test_rows",
        words="test rows",
        meaning="how many test rows scores are over: a fixed subset before the last round (`run.evaluate_rows`), all "
        "after it",
        value=lambda e: len(e.y_test),
    ),
    *_scored(
        "rmse",
        "RMSE",
        _rmse,
        meaning="root mean square error on the test rows",
        unit=TARGET,
        better="lower",
        spread=True,
        files=(METRICS, PROBES),
    ),
    *_scored(
        "error",
        "RMSE to the noiseless function",
        _error,
        meaning="root mean square error against the function without noise, where it is known (generated data); "
        "empty elsewhere",
        unit=TARGET,
        better="lower",
    ),
    *_scored(
        "nlpd",
        "NLPD",
        _nlpd,
        meaning="mean negative log predictive density",
        unit="nats",
        better="lower",
    ),
    *_scored(
        "crps",
        "CRPS",
        lambda forecast, e: crps(forecast, e.y_test, e.asked),
        meaning="mean continuous ranked probability score: distance of the predicted distribution from the "
        "observation; of a forecast without variance it is the absolute error",
        unit=TARGET,
        better="lower",
    ),
    _covered(50),
    _covered(90),
    _covered(95),
    Column(
        name="disagreement",
        words="disagreement of the probes after fusion",
        meaning="root mean square difference of the probes' predicted means from their average",
        value=lambda e: disagreement(e.after),
        unit=TARGET,
        better="lower",
    ),
    *_curve("rmse", "RMSE", _rmse, meaning="", unit=TARGET, spread=True, files=(METRICS, PROBES)),
    *_curve("error", "RMSE to the noiseless function", _error, meaning="", unit=TARGET),
    *_curve("nlpd", "NLPD", _nlpd, meaning="", unit="nats"),
    Column(
        name="communication_rounds",
        words="communication rounds",
        meaning="how often neighbours exchanged messages since the row before",
        value=lambda e: e.sent.rounds,
        better="lower",
        summed=True,
    ),
    Column(
        name="messages",
        words="messages sent",
        meaning="sent from agent to agent since the row before, whether or not they crossed ranks, with what a rule "
        "sends to predict at the probes; finding out who speaks when on the tree, once before the first round, is not "
        "in it",
        value=lambda e: e.sent.messages,
        better="lower",
        summed=True,
    ),
    Column(
        name="lost",
        words="messages lost",
        meaning="messages that the channel lost, or that were under way on a link that went down",
        value=lambda e: e.sent.lost,
        better="lower",
        summed=True,
    ),
    Column(
        name="bytes",
        words="data sent",
        meaning="size of the messages sent",
        value=lambda e: e.sent.bytes,
        unit="bytes",
        better="lower",
        summed=True,
    ),
    Column(
        name="present",
        words="agents in the network",
        meaning="agents in the network",
        value=lambda e: e.present,
    ),
    Column(
        name="counted",
        words="agents counted in the sum",
        meaning="agents that a probe has counted in its sum, itself among them: mean over probes",
        value=lambda e: e.counted,
        better="higher",
    ),
    Column(
        name="fusion_error",
        words="distance from the exact sum",
        meaning="distance of the agents' sums from that over all agents: root mean square over agents, in the worst of "
        '64 columns, relative to what agents contributed; 1e-16 is rounding, or 1e-7 with `precision = "float32"`; '
        "both sums are of the last exchange",
        value=lambda e: e.fusion_error,
        better="lower",
    ),
    Column(
        name="seconds",
        words="time of learning and fusion",
        meaning="of learning and fusion since the row before; evaluating the probes is not in it",
        value=lambda e: round(e.seconds, 6),
        unit="s",
        better="lower",
        summed=True,
    ),
    Column(
        name="seconds_predicting",
        words="time of evaluating the probes",
        meaning="what evaluating the probes took, before and after fusion, on the rank that writes: rules that fuse "
        "predictions work there",
        value=lambda e: round(e.seconds_predicting, 6),
        unit="s",
        better="lower",
        summed=True,
    ),
    *OTHER_COLUMNS,
)
COLUMNS: dict[str, Column] = {column.name: column for column in ALL_COLUMNS}
"""By name; to add a column is to add an entry."""
