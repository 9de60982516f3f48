"""GPyTorch: one natural-gradient step of a stochastic variational GP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gpytorch
import torch

from benchmarks import work
from benchmarks.peers.call import Case, serve

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


class Sparse(gpytorch.models.ApproximateGP):
    """The stochastic variational GP with a natural variational distribution."""

    def __init__(self, inducing: torch.Tensor) -> None:
        distribution = gpytorch.variational.NaturalVariationalDistribution(len(inducing))
        strategy = gpytorch.variational.VariationalStrategy(
            self, inducing, distribution, learn_inducing_locations=False, jitter_val=work.JITTER * work.SIGNAL_VARIANCE
        )
        super().__init__(strategy)
        self.mean_module = gpytorch.means.ZeroMean()
        self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())
        self.covar_module.outputscale = work.SIGNAL_VARIANCE
        self.covar_module.base_kernel.lengthscale = work.LENGTHSCALE

    def forward(self, x: torch.Tensor) -> gpytorch.distributions.MultivariateNormal:
        """The prior at rows ``[B, D]``."""
        return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))


def _learned(case: Case, queries: int = 10) -> tuple[Sparse, Callable[[], None], work.Stream]:
    data = work.stream(1, case["B"], case["m"], queries)
    model, likelihood = Sparse(torch.tensor(data.inducing)), gpytorch.likelihoods.GaussianLikelihood()
    likelihood.noise = work.NOISE_VARIANCE
    for parameter in (*model.hyperparameters(), *likelihood.parameters()):
        parameter.requires_grad_(False)
    natural = gpytorch.optim.NGD(model.variational_parameters(), num_data=case["B"], lr=1.0)
    bound = gpytorch.mlls.VariationalELBO(likelihood, model, num_data=case["B"])
    x, y = torch.tensor(data.x[0]), torch.tensor(data.y[0])

    def step() -> None:
        model.train()
        natural.zero_grad()
        (-bound(model(x), y)).backward()
        natural.step()

    return model, step, data


def _update(case: Case) -> Callable[[], None]:
    return _learned(case)[1]


def _asked(model: Sparse, x: torch.Tensor) -> list[Any]:
    with torch.no_grad(), gpytorch.settings.skip_posterior_variances(False):
        forecast = model(x)
        return [forecast.mean.numpy(), forecast.variance.numpy()]


def _predict(case: Case) -> Callable[[], Any]:
    """Training mode forgets what was kept, so that the posterior is formed again."""
    model, step, data = _learned(case | {"B": 100}, case["Q"])
    step()
    x = torch.tensor(data.queries)

    def forget_and_ask() -> list[Any]:
        model.train()
        model.eval()
        return _asked(model, x)

    return forget_and_ask


def _again(case: Case) -> Callable[[], Any]:
    model, step, data = _learned(case | {"B": 100}, case["Q"])
    step()
    model.eval()
    x = torch.tensor(data.queries)
    return lambda: _asked(model, x)


def _means(case: Case) -> Callable[[], Any]:
    model, step, data = _learned(case)
    step()
    model.eval()
    return lambda: _asked(model, torch.tensor(data.queries))[0]


if __name__ == "__main__":
    serve({"update": _update, "predict": _predict, "again": _again, "means": _means})
