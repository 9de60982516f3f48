from .dpitc import DPITC as DPITC
from .ensemble import Ensemble as Ensemble
from .selective import Selective as Selective
from .weighted import Weighted as Weighted
