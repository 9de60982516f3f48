"""GPflow: one natural-gradient step of a stochastic variational GP, compiled by ``tf.function``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gpflow
import numpy as np
import tensorflow as tf

from benchmarks import work
from benchmarks.peers.call import Case, serve

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
gpflow.config.set_default_jitter(work.JITTER * work.SIGNAL_VARIANCE)


def _model(inducing: work.Array, rows: int) -> gpflow.models.SVGP:
    kernel = gpflow.kernels.SquaredExponential(work.SIGNAL_VARIANCE, work.LENGTHSCALE)
    likelihood = gpflow.likelihoods.Gaussian(work.NOISE_VARIANCE)
    model = gpflow.models.SVGP(kernel, likelihood, inducing_variable=inducing, num_data=rows)
    gpflow.set_trainable(model, False)
    gpflow.set_trainable(model.q_mu, True)
    gpflow.set_trainable(model.q_sqrt, True)
    return model


def _step(model: gpflow.models.SVGP) -> Callable[[Any, Any], None]:
    natural = gpflow.optimizers.NaturalGradient(gamma=1.0)

    @tf.function
    def step(x: Any, y: Any) -> None:
        natural.minimize(lambda: -model.elbo((x, y)), [(model.q_mu, model.q_sqrt)])

    return step


def _learned(case: Case, queries: int = 10) -> tuple[gpflow.models.SVGP, Callable[[], None], work.Stream]:
    data = work.stream(1, case["B"], case["m"], queries)
    model = _model(data.inducing, case["B"])
    step, x, y = _step(model), tf.constant(data.x[0]), tf.constant(data.y[0][:, None])
    return model, lambda: step(x, y), data


def _update(case: Case) -> Callable[[], None]:
    return _learned(case)[1]


def _predict(case: Case) -> Callable[[], Any]:
    model, step, data = _learned(case | {"B": 100}, case["Q"])
    step()
    ask, x = tf.function(model.predict_f), tf.constant(data.queries)
    return lambda: [moment.numpy() for moment in ask(x)]


def _again(case: Case) -> Callable[[], Any]:
    model, step, data = _learned(case | {"B": 100}, case["Q"])
    step()
    ask, x = tf.function(model.posterior().predict_f), tf.constant(data.queries)
    return lambda: [moment.numpy() for moment in ask(x)]


def _means(case: Case) -> Callable[[], Any]:
    model, step, data = _learned(case)
    step()
    return lambda: np.ravel(model.predict_f(data.queries)[0])


if __name__ == "__main__":
    serve({"update": _update, "predict": _predict, "again": _again, "means": _means})
