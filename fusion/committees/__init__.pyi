from .base import Committee as Committee
from .bcm import BCM as BCM
from .gpoe import GPoE as GPoE
from .grbcm import GRBCM as GRBCM
from .npae import NPAE as NPAE
from .poe import PoE as PoE
from .rbcm import RBCM as RBCM
