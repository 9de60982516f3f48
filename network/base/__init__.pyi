from .arrays import Array as Array
from .arrays import Indices as Indices
from .arrays import RowSource as RowSource
from .lazy_table import LazyTable as LazyTable
from .lazy_table import imported as imported
from .randomness import generator as generator
