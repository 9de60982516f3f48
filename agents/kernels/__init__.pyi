from .base import HasExpectations as HasExpectations
from .base import HasSpectrum as HasSpectrum
from .base import Kernel as Kernel
from .base import expectations_of as expectations_of
from .base import project as project
from .base import spectrum_of as spectrum_of
from .registry import KERNELS as KERNELS
from .se import SE as SE
