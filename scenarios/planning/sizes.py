"""How many numbers an agent stores and sends: its statistics, its messages, its hyper-parameters."""

from __future__ import annotations

from coolgp.agents.parameters import Layout
from coolgp.agents.statistics import packed_length
from coolgp.fusion.rule import FusionRule
from coolgp.fusion.sums.base import SumRule
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.fusion import FusionSettings

__all__ = ["layout_of", "most_inducing", "own_input_numbers", "row_numbers", "share_numbers", "statistics_numbers"]


def row_numbers(agents: AgentsSettings, features: int) -> int:
    """Numbers in a message: packed sums, announcements, and the agent's own one."""
    announced = 2 * layout_of(agents, features).size if agents.hyperparameters == "collective" else 0
    return packed_length(most_inducing(agents)) + announced + 1


def share_numbers(fusion: FusionSettings, rule: FusionRule, agents: int) -> int:
    """Numbers in a message of shares, by which rules that average count nobody twice until they have settled."""
    if fusion.rounds_per_step == "converge" or not isinstance(rule, SumRule):
        return 0
    return rule.share_numbers(agents)


def statistics_numbers(agents: AgentsSettings) -> int:
    """Numbers in an agent's statistics: a row, or one for each sample."""
    samples = agents.importance_samples if agents.encoding == "importance" else 1
    own = agents.inducing if agents.inducing_choice == "own" else most_inducing(agents)
    return samples * packed_length(own)


def own_input_numbers(agents: AgentsSettings, features: int) -> int:
    """Numbers in the inducing inputs that an agent chose for itself."""
    return agents.inducing * features if agents.inducing_choice == "own" else 0


def most_inducing(agents: AgentsSettings) -> int:
    """Inducing inputs that messages can be about in the end."""
    return agents.most_common if agents.inducing_choice == "own" else agents.inducing_most or agents.inducing


def layout_of(agents: AgentsSettings, features: int) -> Layout:
    """How the hyper-parameters of an agent lie in one vector."""
    return Layout(features, full=agents.projection == "full", uncertain=agents.projection_std > 0)
