from .app import main as main
from .app import run_script as run_script
