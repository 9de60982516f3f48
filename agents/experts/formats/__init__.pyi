from .files import FORMATS as FORMATS
from .files import read_model_file as read_model_file
from .files import sha256 as sha256
from .files import write_model_file as write_model_file
from .format import Format as Format
