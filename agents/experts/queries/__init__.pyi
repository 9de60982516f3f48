from .black_box import BlackBox as BlackBox
from .black_box import DensityExpert as DensityExpert
from .failure import ExpertFailed as ExpertFailed
from .failure import QueriesUsedUp as QueriesUsedUp
