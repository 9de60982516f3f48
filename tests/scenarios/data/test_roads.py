"""Laws of the roads and the traffic on them: connected, uncrossed, drawn from the seed; two rush hours; any file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, shortest_path

from coolgp.scenarios import run
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.catalogue import scenario_named
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.data.roads import Roads, draw_roads
from coolgp.scenarios.data.traffic import FEATURES, NOISE_STD, draw_traffic, traffic_table
from coolgp.scenarios.plots.run_figures import draw_all
from coolgp.scenarios.records.run_folder import read_run

SMALL = ("agents.count=6", "agents.inducing=20", "agents.pilot=200", "run.rounds=3", "run.probes=2")


def lengths(roads: Roads) -> np.ndarray:
    return np.linalg.norm(np.diff(roads.junctions[roads.ends], axis=1)[:, 0], axis=1)


@pytest.mark.parametrize("segments", [12, 13, 50, 775])
def test_roads_are_so_many_and_reach_every_junction(segments: int) -> None:
    roads = draw_roads(3, segments)
    size = len(roads.junctions)
    assert roads.ends.shape == (segments, 2)
    assert len(np.unique(np.sort(roads.ends, axis=1), axis=0)) == segments
    joined = coo_array((np.ones(segments), (roads.ends[:, 0], roads.ends[:, 1])), shape=(size, size))
    assert connected_components(joined, directed=False)[0] == 1


def test_roads_do_not_cross() -> None:
    roads = draw_roads(1, 100)
    start, end = (roads.junctions[roads.ends[:, side]] for side in (0, 1))

    def side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        return np.sign(
            (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
        )

    one, other = (start[:, None], end[:, None]), (start[None], end[None])
    apart = side(*one, other[0]) * side(*one, other[1]) < 0
    crossed = apart & (side(*other, one[0]) * side(*other, one[1]) < 0)
    shared = (roads.ends[:, None, :, None] == roads.ends[None, :, None, :]).any(axis=(2, 3))
    assert not (crossed & ~shared).any()


def test_a_segments_depth_is_the_shortest_way_to_the_centre_from_its_middle() -> None:
    roads = draw_roads(2, 60)
    size = len(roads.junctions)
    ends = roads.ends.astype(np.int32)  # as SciPy before 1.17.1 needs it
    graph = coo_array((lengths(roads), (ends[:, 0], ends[:, 1])), shape=(size, size))
    centre = np.argmin(np.square(roads.junctions).sum(axis=1))
    distance = shortest_path(graph, directed=False)[centre]
    np.testing.assert_allclose(roads.depth, 0.5 * (distance[roads.ends[:, 0]] + distance[roads.ends[:, 1]]))


def test_main_roads_are_those_that_most_ways_to_the_centre_use() -> None:
    roads = draw_roads(0)
    assert np.all(np.diff(np.bincount(roads.kind, minlength=3)) < 0)
    assert (
        roads.depth[roads.kind == 2].mean() < roads.depth[roads.kind == 1].mean() < roads.depth[roads.kind == 0].mean()
    )
    assert roads.limit[roads.kind == 0].max() < roads.limit[roads.kind == 1].min()


def test_a_segment_turned_round_leads_the_other_way() -> None:
    roads = draw_roads(0, 40)
    turned = Roads(roads.junctions, roads.ends[:, ::-1], roads.limit, roads.kind, roads.depth)
    np.testing.assert_allclose(turned.inbound, -roads.inbound)
    assert np.abs(roads.inbound).max() <= 1


def test_the_seed_is_all_that_roads_and_speeds_follow_from() -> None:
    one, same, other = (traffic_table(seed, segments=30) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.x, same.x)
    np.testing.assert_array_equal(one.y, same.y)
    assert not np.array_equal(one.x, other.x)


def test_the_table_has_every_segment_in_every_slot() -> None:
    table = traffic_table(0, segments=30)
    assert table.features == FEATURES
    assert len(table.y) == 30 * 17 * 12
    assert len(np.unique(table.x, axis=0)) == len(table.y)
    assert table.truth is not None
    assert np.std(table.y - table.truth) == pytest.approx(NOISE_STD, rel=0.05)
    assert table.truth.min() > 0


def test_mornings_are_slow_inwards_and_evenings_outwards_and_queues_reach_the_rim_later() -> None:
    traffic = draw_traffic(0)
    roads, segment = traffic.roads, np.arange(775)

    def left(hour: float) -> np.ndarray:  # share of the speed limit
        return traffic.speed(segment, np.full(775, hour)) / roads.limit

    main = roads.kind > 0
    inward, outward = main & (roads.inbound > 0.7), main & (roads.inbound < -0.7)
    assert left(8.3)[inward].mean() < left(8.3)[outward].mean()
    assert left(18.3)[outward].mean() < left(18.3)[inward].mean()
    assert max(left(8.3)[main].mean(), left(18.3)[main].mean()) < left(13.0)[main].mean() - 0.1
    hours = np.arange(6.0, 11.0, 0.1)
    course = np.array([left(hour) for hour in hours])
    worst = [hours[np.argmin(course[:, near].mean(axis=1))] for near in (roads.depth < 3, roads.depth > 7)]
    assert worst[0] < worst[1]


def test_road_holds_out_2000_rows_deals_the_rest_and_knows_the_truth() -> None:
    data = load(scenario_named("road", SMALL))
    assert len(data.y_test) == 2_000
    assert data.training.problems(6, 5) == []
    assert data.truth is not None
    assert np.std(data.y_test - data.truth) == pytest.approx(NOISE_STD, rel=0.1)
    fewer = load(scenario_named("road", [*SMALL, 'data.features=["time", "east"]']))
    np.testing.assert_array_equal(fewer.x_test, data.x_test[:, [4, 0]])


def test_road_agents_can_be_segments_and_nothing_else() -> None:
    by_segment = {"source": "road", "agent": "segment"}
    assert len(load(resolve({"data": by_segment}, "road")).agents) == 775
    with pytest.raises(DataError, match='road: agents can be named by segment; got "lane"'):
        load(resolve({"data": by_segment | {"agent": "lane"}}, "road"))


def test_a_file_of_ones_own_takes_the_place_of_the_roads(tmp_path: Path) -> None:
    table = traffic_table(0, segments=20)
    rows = np.column_stack([table.x, table.y])[::5]
    np.savetxt(tmp_path / "speeds.csv", rows, delimiter=",", header=",".join([*FEATURES, "speed"]), comments="")
    own = [f"data.source={tmp_path / 'speeds.csv'}", "data.target=speed", "data.test_count=100"]
    scenario = scenario_named("road", [*SMALL, *own])
    assert load(scenario).features == FEATURES
    run(scenario, tmp_path / "run")
    assert not (tmp_path / "run" / "road.png").exists()


@pytest.mark.parametrize("rule", ["tree", "none"])
def test_the_figure_shows_the_roads_and_what_an_agent_makes_of_them(tmp_path: Path, rule: str) -> None:
    run(scenario_named("road", [*SMALL, f"fusion.rule={rule}"]), tmp_path, figures=False)
    assert draw_all(read_run(tmp_path))["road"].stat().st_size > 10_000
