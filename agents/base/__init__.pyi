from .arrays import Array as Array
from .arrays import Indices as Indices
from .triangular import inverse_of_lower as inverse_of_lower
