"""What variables say of a launcher, and what a child of this process sees of them."""

from __future__ import annotations

import pytest

from coolgp.network.launcher import is_launched, launched_rank, launched_size, set_variables, unlaunched

SHELL_IN_A_STEP = {"PMIX_RANK": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}


def test_a_shell_in_a_step_of_one_task_is_no_launcher() -> None:
    assert (launched_rank(SHELL_IN_A_STEP), launched_size(SHELL_IN_A_STEP)) == (0, 1)
    assert not is_launched(SHELL_IN_A_STEP)


def test_a_step_of_many_tasks_is_one() -> None:
    step = {"PMIX_RANK": "3", "SLURM_STEP_NUM_TASKS": "4"}
    assert (launched_rank(step), launched_size(step), is_launched(step)) == (3, 4, True)
    assert set_variables(step) == "PMIX_RANK and SLURM_STEP_NUM_TASKS are"


@pytest.mark.parametrize("rank", ["1", "7"])
def test_a_rank_beyond_the_size_is_of_two_launchers(rank: str) -> None:
    mixed = {"PMIX_RANK": rank, "SLURM_STEP_NUM_TASKS": "1"}
    assert (launched_rank(mixed), launched_size(mixed), is_launched(mixed)) == (0, 1, False)


def test_a_child_sees_no_launcher_and_all_that_a_user_set() -> None:
    own = {"PATH": "/nowhere", "OMPI_ALLOW_RUN_AS_ROOT": "1", "HYDRA_LAUNCHER": "fork", "COOLGP_THREADS": "2"}
    launchers = {"PMI_RANK": "0", "PMI_SIZE": "2", "PMIX_RANK": "0", "OMPI_COMM_WORLD_RANK": "0", "SLURM_JOB_ID": "7"}
    assert unlaunched(own | launchers) == own  # there is no srun on that path
