from .base import Likelihood as Likelihood
from .bernoulli import Bernoulli as Bernoulli
from .gaussian import Gaussian as Gaussian
from .registry import LIKELIHOODS as LIKELIHOODS
