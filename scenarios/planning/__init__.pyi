from .duration import measure as measure
from .limits import admit as admit
from .limits import loaded as loaded
from .memory import estimate as estimate
from .survey import table as table
from .survey_figure import draw_survey as draw_survey
from .survey_figure import picture_path as picture_path
from .tables import as_json as as_json
