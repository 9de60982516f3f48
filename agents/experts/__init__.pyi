from .network import ACTIVATIONS as ACTIVATIONS
from .network import Network as Network
from .network import mlp_of as mlp_of
from .network import network_of as network_of
from .sparse_gp import SparseGPRegressor as SparseGPRegressor
