"""The paper's figures of data disparity and of transmission loss: the scenarios `disparity` and `lossy`, side by side.

Left: an agent that stops after 200 flights and one that goes on learning, each before and after fusion. Right: RMSE
against the share of messages that are lost, for rules without a server and for servers to which agents report.

What differs from the paper: its agents observe its traffic data. Here the left part uses flights, where both agents
observe one function, and the right part a random field (see the descriptions of the two scenarios).

Compared with the paper's figures: the agent with few flights becomes as accurate as the one with many, as in the paper.
A server to which agents report new statistics only once loses accuracy, as in the paper. A server to which they report
everything in each round loses none, and neither do a tree and flooding.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from coolgp.scenarios.config.catalogue import about, catalogue
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.plots.agents import draw_agents
from coolgp.scenarios.plots.style import house_style, save_picture
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.runs.run import run as run_one
from coolgp.scenarios.studies.cells import run_study
from coolgp.scenarios.studies.figures import draw_ends
from coolgp.scenarios.studies.folder import read_table
from coolgp.scenarios.studies.report import write_page
from coolgp.scenarios.studies.study import cell_words, plan_named

__all__ = ["FILES", "KIND", "SETTINGS", "run"]

KIND = "side-by-side"

SETTINGS = {
    "data": {"source": "airline", "test_count": 4_000, "first_agent_rows": 200},
    "agents": {"count": 2, "inducing": 100, "batch_size": 20, "hyperparameters": "fixed"},
    "network": {"topology": "complete"},
    "run": {"rounds": 60},
}

FILES = ("disparity", "lossy", "paper-fig5.png", "report.html")
SIZE = (17.5, 5.4)


def run(scenario: Scenario, folder: Path, say: Callable[[str], None]) -> None:
    """Run both scenarios into folders of their own, and draw them beside one another."""
    unequal, lossy = folder / "disparity", folder / "lossy"
    run_one(scenario.model_copy(update={"name": "disparity"}), unequal, overwrite=True)
    last = {name: column[-1] for name, column in read_metrics(unequal).items()}
    say(f"disparity: RMSE {last['rmse_pre']:.4g} before, {last['rmse_post']:.4g} after fusion")
    study = plan_named("lossy", [f"run.seed={scenario.run.seed}"] if scenario.run.seed else [])
    run_study(study, lossy, seen=lambda *cell: say(cell_words(study, *cell)))
    figure = Figure(figsize=SIZE, layout="constrained")
    with house_style():
        parts: Any = figure.subfigures(1, 2, width_ratios=[1.5, 1])
        left, right = parts
        draw_agents(left, read_run(unequal))
        draw_ends(right, read_table(lossy), **(catalogue()["lossy"].figure or {}))
        save_picture(figure, folder / "paper-fig5.png")
    say(f"figure: {folder / 'paper-fig5.png'}")
    ran, paragraphs = "runs in disparity/ and lossy/", about("paper-fig5")
    say(f"report: {write_page(folder, 'paper-fig5', ran, paragraphs, [folder / 'paper-fig5.png'])}")


if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("paper-fig5")
