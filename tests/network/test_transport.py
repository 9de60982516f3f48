"""Laws of the serial transport, and its MPI twin against it.

Run as a program on several ranks, this file saves what the MPI transport delivers into the folder that it is given.
"""

import io
import os
import sys
import threading
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.network.graphs.generate import generate
from coolgp.network.launcher import find_launcher, launched_rank, launched_size, library_problem, wait_until_read
from coolgp.network.mixing import local_metropolis
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

CASES = {
    "contiguous": ("small-world", 40, "contiguous"),
    "metis": ("small-world", 40, "metis"),
    "blocks of three": ("geometric", 2100, "contiguous"),
}


def topology_of(case: str):
    kind, size, _ = CASES[case]
    return generate(kind, size, seed=4)


def delivered(transport: Transport) -> dict[str, np.ndarray]:
    """Everything a transport delivers, by agent or by edge; each input belongs to these, whichever rank holds them."""
    shard, found = transport.shard, {}
    tail, head = shard.agents[shard.tail], shard.head_agent
    key = tail * shard.size + head
    agent = np.random.default_rng(1).normal(size=(shard.size, 3))[shard.agents]
    edge = np.stack([np.sin(key), np.cos(key), np.sqrt(key)], axis=1)
    mask = (tail + 2 * head) % 5 < 2
    route, empty = transport.route(mask), transport.route(np.zeros_like(mask))
    for kind in (np.float64, np.float32):
        values, messages, name = agent.astype(kind), edge.astype(kind), kind.__name__
        swapped = transport.swap(messages)
        room = np.empty((len(route.arrivals), 3), kind)
        assert (transport.swap(swapped) == messages).all()
        assert transport.swap(messages[empty.edges], empty).shape == (0, 3)
        assert transport.swap(messages[route.edges], route, out=room) is room
        found |= {
            f"halo {name}": transport.gather_rows(transport.halo(values)[shard.head], key),
            f"swap {name}": transport.gather_rows(swapped, key),
            f"route {name}": transport.gather_rows(room, key[route.arrivals]),
            f"allsum {name}": transport.allsum(values),
            f"allsum of scalars {name}": transport.allsum(values[:, 0]),
            f"gather {name}": transport.gather(values),
        }
    return found | {
        "arrivals": transport.gather_rows(key[route.arrivals], key[route.arrivals]),
        "matrices": transport.gather(transport.halo(np.stack([agent, -agent], axis=1))[: len(agent)]),
        "no columns": transport.allsum(agent[:, :0]),
        "consensus": transport.gather(local_metropolis(shard) @ transport.halo(agent)),
        "members": transport.allsum(np.ones(len(agent), dtype=bool)),
        "meter": transport.total(np.array([transport.meter.messages, transport.meter.bytes])),
        "moved": transport.total(np.array([transport.meter.near_bytes + transport.meter.far_bytes])),
    }


def main(folder: str) -> None:
    from coolgp.network.mpi import MPITransport, world

    assert (launched_rank(), launched_size()) == (world().rank, world().size)
    for case in CASES:
        transport = MPITransport(topology_of(case), partition(topology_of(case), world().size, CASES[case][2]))
        found = delivered(transport)
        transport.barrier()
        if transport.root:
            np.savez(Path(folder) / f"{case}.npz", **found)
        else:
            assert found["gather float64"] is None


@cache
def serial(case: str) -> dict[str, np.ndarray]:
    return delivered(SerialTransport(topology_of(case)))


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_mpi_delivers_the_bits_of_the_serial_twin(on_ranks, tmp_path, ranks):
    pytest.importorskip("pymetis", reason='METIS needs pip install "coolgp[partition]"')
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for case in CASES:
        with np.load(tmp_path / f"{case}.npz") as found:
            assert set(found) == set(serial(case))
            for name, expected in serial(case).items():
                np.testing.assert_array_equal(found[name], expected, err_msg=f"{case}: {name}", strict=True)


def test_a_rank_that_fails_ends_the_job(on_ranks):
    program = """
from coolgp.network.mpi import abort_on_error, world
abort_on_error()
if world().rank == 1:
    raise ValueError("agent 17 has no data")
world().Barrier()
"""
    start = time.monotonic()
    done = on_ranks(2, program, timeout=60, runner=())
    assert done.returncode != 0
    assert "[rank 1] ValueError: agent 17 has no data" in done.stderr
    assert time.monotonic() - start < 30  # seconds; without the hook the job would never end


def test_an_ending_job_waits_until_its_last_words_are_read_but_not_for_ever() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        stream.write("last words")
        stream.flush()
        threading.Timer(0.2, os.read, (reading, 100)).start()
        begin = time.monotonic()
        wait_until_read(stream, limit=30)
        assert 0.1 < time.monotonic() - begin < 20
        stream.write("nobody reads these")
        stream.flush()
        wait_until_read(stream, limit=0.05)
    os.close(reading)
    wait_until_read(io.StringIO())


@pytest.fixture(params=[("star", 5), ("small-world", 40), ("ring", 1), ("geometric", 1500)], ids=str)
def transport(request):
    return SerialTransport(generate(*request.param, seed=4))


def ends(transport: Transport) -> np.ndarray:
    shard = transport.shard
    return np.stack([shard.agents[shard.tail], shard.head_agent], axis=1)


def test_swapping_twice_changes_nothing(transport):
    messages = np.random.default_rng(0).normal(size=(len(transport.shard.tail), 2))
    assert (transport.swap(transport.swap(messages)) == messages).all()


def test_a_message_arrives_on_the_reverse_edge(transport):
    assert (transport.swap(ends(transport)) == ends(transport)[:, ::-1]).all()


def test_on_a_route_only_its_messages_arrive(transport):
    sent = ends(transport)
    mask = (sent[:, 0] + 2 * sent[:, 1]) % 5 < 2
    route = transport.route(mask)
    arrived = transport.swap(sent[route.edges], route)
    assert (arrived == sent[route.arrivals][:, ::-1]).all()
    assert {tuple(x) for x in arrived} == {tuple(x) for x in sent[mask]}


def test_allsum_adds_all_agents(transport):
    value = np.random.default_rng(0).normal(size=(transport.shard.size, 2, 2))
    np.testing.assert_allclose(transport.allsum(value), value.sum(axis=0), rtol=1e-12, atol=1e-12)


def test_gather_orders_by_agent(transport):
    assert (transport.gather(transport.shard.agents[:, None])[:, 0] == np.arange(transport.shard.size)).all()


def test_every_message_is_metered():
    transport = SerialTransport(generate("ring", 10, seed=0))
    route = transport.route(np.arange(20) < 5)
    transport.swap(np.zeros((20, 3)))
    transport.swap(np.zeros((5, 3), dtype=np.float32), route)
    transport.halo(np.zeros((10, 2, 2)))
    assert transport.meter.messages == 20 + 5 + 20
    assert transport.meter.bytes == 20 * 3 * 8 + 5 * 3 * 4 + 20 * 4 * 8


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda t: t.swap(np.zeros((3, 2))), "swap needs 20 rows of numbers; got shape \\[3, 2\\]"),
        (lambda t: t.halo(np.zeros((3, 2))), "halo needs 10 rows"),
        (lambda t: t.allsum(np.zeros((3, 2))), "allsum needs 10 rows"),
        (lambda t: t.gather(np.array([None] * 10)), "gather needs 10 rows of numbers; got shape \\[10\\] of object"),
        (lambda t: t.gather_rows(np.zeros(2), np.arange(3)), "gather_rows needs 3 rows"),
        (lambda t: t.route(np.zeros(20)), "mask or row counts of 20 edges; got shape \\[20\\] of float64"),
        (lambda t: t.swap(np.zeros((20, 2)), out=np.zeros((20, 3))), "`out` \\[20, 2\\] of float64 apart"),
    ],
)
def test_a_wrong_shape_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(SerialTransport(generate("ring", 10, seed=0)))


def test_an_output_must_not_be_the_input():
    messages = np.zeros((20, 2))
    with pytest.raises(ValueError, match="apart from its input"):
        SerialTransport(generate("ring", 10, seed=0)).swap(messages, out=messages)


def test_a_missing_library_is_told_with_its_fix(tmp_path, monkeypatch):
    (tmp_path / "mpi4py.py").write_text("raise RuntimeError('cannot load MPI library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert library_problem() == (
        'MPI cannot be loaded (RuntimeError: cannot load MPI library): pip install "coolgp[mpich]"'
    )


def test_the_launcher_beside_python_comes_first(tmp_path, monkeypatch):
    for folder in ("venv", "system"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mpiexec").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "system"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    assert find_launcher() == tmp_path / "venv" / "mpiexec"
    (tmp_path / "venv" / "mpiexec").unlink()
    assert find_launcher() == tmp_path / "system" / "mpiexec"
    (tmp_path / "system" / "mpiexec").unlink()
    assert find_launcher() is None


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({}, (0, 1)),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, (1, 2)),
        ({"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4"}, (3, 4)),
        ({"PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "8"}, (1, 8)),
        ({"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "8"}, (0, 1)),
    ],
)
def test_the_launcher_variables_tell_rank_and_size(environment, expected):
    assert (launched_rank(environment), launched_size(environment)) == expected


if __name__ == "__main__":
    main(sys.argv[1])
