from .collective import CollectiveGPRegressor as CollectiveGPRegressor
from .fused import FusedClassifier as FusedClassifier
from .fused import FusedRegressor as FusedRegressor
from .personalised import PersonalisedClassifier as PersonalisedClassifier
from .personalised import PersonalisedRegressor as PersonalisedRegressor
