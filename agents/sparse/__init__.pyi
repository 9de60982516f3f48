from .collapsed import Parameters as Parameters
from .collapsed import posterior_of as posterior_of
from .fitting import best_start as best_start
from .fitting import maximise as maximise
from .gp import SparseGP as SparseGP
from .rows import Pooled as Pooled
