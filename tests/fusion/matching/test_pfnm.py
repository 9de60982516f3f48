"""Laws of PFNM: copies, one network, networks with nothing in common, names, rounds, and what it refuses."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.layers import checked_networks, from_arrays, predicted_classes, sub_network
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.read_out import fused_network
from coolgp.fusion.matching.networks.rounds import communication_rounds
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.matching.networks.shares import class_shares
from coolgp.fusion.matching.networks.units import BIAS_MEAN

from tests.fusion.matching.problems import partition_of

DEPTHS = pytest.mark.parametrize("hidden", [(9,), (9, 7), (6, 8, 5)], ids=["one layer", "two layers", "three layers"])
UNSHRUNK = pytest.mark.parametrize("read_out", ["mean", "split"])
INPUTS, CLASSES = 5, 4
X = np.random.default_rng(99).normal(size=(40, INPUTS))
COUNTS = np.random.default_rng(98).integers(1, 30, size=(4, CLASSES))


def arrays_of(one: Network) -> list[np.ndarray]:
    return [array for pair in zip(one.weights, one.biases, strict=True) for array in pair]


def network(seed: int, hidden: Sequence[int], scale: float = 1.0) -> Network:
    rng = np.random.default_rng(seed)
    arrays: list[np.ndarray] = []
    for rows, columns in pairwise((INPUTS, *hidden, CLASSES)):
        arrays += [scale * rng.normal(size=(rows, columns)), scale * rng.normal(size=columns)]
    return from_arrays(arrays)


def blurred(one: Network, noise: float, rng: np.random.Generator) -> Network:
    return from_arrays([array + noise * rng.normal(size=array.shape) for array in arrays_of(one)])


def reordered(one: Network, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    return sub_network(one, [rng.permutation(width) for width in one.widths])


def fuse(networks: Sequence[Network], counts: np.ndarray | None, **setting: object) -> FusedNetwork:
    return PFNM(settings=(Setting(**setting),)).fuse(networks, class_counts=counts)  # type: ignore[arg-type]


@DEPTHS
@UNSHRUNK
def test_permuted_copies_fuse_to_the_same_function(hidden: tuple[int, ...], read_out: str) -> None:
    one = network(0, hidden)
    fused = fuse([reordered(one, seed) for seed in range(4)], COUNTS, read_out=read_out, noise_variance=0.1)
    assert fused.network.widths == hidden
    assert all((counts == 4).all() for counts in fused.counts)
    np.testing.assert_allclose(fused.network.outputs(X), one.outputs(X), atol=1e-10)


@pytest.mark.parametrize("prior", [0.5, 2.0, 30.0])
def test_permuted_copies_shrink_by_their_number_and_the_ratio_of_variances(prior: float) -> None:
    one, noise, number = network(1, (8,)), 0.3, 4
    fused = fuse([one] * number, COUNTS, noise_variance=noise, prior_variance=prior)
    ratio = noise / prior
    for place, (weights, expected) in enumerate(zip(arrays_of(fused.network), arrays_of(one), strict=True)):
        copies = number if place < 2 else 1  # the shares of a class add up to 1
        mean = BIAS_MEAN if place % 2 else 0.0
        np.testing.assert_allclose(weights, (mean * ratio + copies * expected) / (ratio + copies), atol=1e-12)


@DEPTHS
@UNSHRUNK
def test_one_network_is_the_identity(hidden: tuple[int, ...], read_out: str) -> None:
    one = network(2, hidden)
    fused = fuse([one], np.array([[3, 0, 1, 2]]), read_out=read_out)
    for weights, expected in zip(arrays_of(fused.network), arrays_of(one), strict=True):
        np.testing.assert_array_equal(weights, expected)


@DEPTHS
def test_networks_with_nothing_in_common_split_into_the_ensemble_by_class_shares(hidden: tuple[int, ...]) -> None:
    networks = [network(seed, hidden, scale=30.0) for seed in range(3)]
    fused = fuse(networks, COUNTS[:3], mass=50.0, noise_variance=1e-3, prior_variance=900.0, read_out="split")
    assert fused.network.widths == tuple(3 * width for width in hidden)
    shares = class_shares(COUNTS[:3], 3, CLASSES)
    ensemble = sum(share * one.outputs(X) for share, one in zip(shares, networks, strict=True))
    np.testing.assert_allclose(fused.network.outputs(X), ensemble, rtol=1e-10)


@DEPTHS
@pytest.mark.parametrize("read_out", ["map", "mean", "split"])
def test_renaming_units_networks_inputs_and_classes_changes_names_alone(hidden: tuple[int, ...], read_out: str) -> None:
    rng, base = np.random.default_rng(3), network(3, tuple(width + 2 for width in hidden))
    keep = [[rng.permutation(width + 2)[:width] for width in hidden] for _ in range(4)]
    networks = [blurred(sub_network(base, own), 0.01, rng) for own in keep]
    names, inputs, classes = rng.permutation(4), rng.permutation(INPUTS), rng.permutation(CLASSES)
    renamed = []
    for name in names:
        arrays = arrays_of(reordered(networks[name], int(name)))
        arrays[0], arrays[-2], arrays[-1] = arrays[0][inputs], arrays[-2][:, classes], arrays[-1][classes]
        renamed.append(from_arrays(arrays))
    setting = {"noise_variance": 0.01, "read_out": read_out}
    plain, other = fuse(networks, COUNTS, **setting), fuse(renamed, COUNTS[names][:, classes], **setting)
    assert other.network.widths == plain.network.widths
    np.testing.assert_allclose(
        other.network.outputs(X[:, inputs]), plain.network.outputs(X)[:, classes], rtol=1e-8, atol=1e-9
    )


def test_units_that_networks_share_are_recovered() -> None:
    rng, base = np.random.default_rng(4), network(4, (30,))
    keep = [rng.permutation(30)[: rng.integers(5, 25)] for _ in range(8)]
    networks = [blurred(sub_network(base, [own]), 0.1, rng) for own in keep]
    fused = fuse(networks, None, noise_variance=0.1, read_out="mean")
    assert partition_of(fused.labels[0]) == partition_of(keep)
    for own, labels in zip(keep, fused.labels[0], strict=True):
        assert np.abs(fused.network.weights[0][:, labels] - base.weights[0][:, own]).max() < 0.4


@DEPTHS
def test_the_objective_of_no_layer_falls(hidden: tuple[int, ...]) -> None:
    for seed in range(4):
        networks = [network(10 * seed + own, hidden) for own in range(5)]
        for objective in fuse(networks, None, noise_variance=0.5).objective:
            assert (np.diff(objective) >= -1e-7).all()


def test_labels_to_start_from_lead_to_the_network_that_they_came_from() -> None:
    networks = [network(seed, (9, 7)) for seed in range(4)]
    pfnm = PFNM(settings=(Setting(noise_variance=0.5, prior_variance=2.0),), sweeps=30)
    fused = pfnm.fuse(networks, class_counts=COUNTS)
    again = pfnm.fuse(networks, class_counts=COUNTS, labels=fused.labels)
    for weights, expected in zip(arrays_of(again.network), arrays_of(fused.network), strict=True):
        np.testing.assert_allclose(weights, expected, atol=1e-12)


def test_owners_count_their_own_rows_and_the_setting_with_most_is_taken() -> None:
    one = network(5, (8,))
    rng = np.random.default_rng(5)
    shards = []
    for _ in range(3):
        x = rng.normal(size=(50, INPUTS))
        shards.append((x, predicted_classes(one, x)))
    settings = (Setting(prior_variance=1e-3), Setting(noise_variance=0.1, read_out="split"), Setting(mass=2.0))
    fused = PFNM(settings=settings).fuse([reordered(one, seed) for seed in range(3)], shards)
    assert fused.setting == settings[1]
    assert fused.correct.max() == fused.correct[1] == 150


def test_slack_takes_the_smallest_network_that_gets_nearly_as_many_rows_right() -> None:
    rng, networks = np.random.default_rng(11), [network(seed, (6,)) for seed in range(3)]
    settings = Setting(50.0, 1e-3, 1.0, "split"), Setting(1.0, 3.0)
    large = PFNM(settings=settings[:1]).fuse(networks, class_counts=np.ones((3, CLASSES)))
    shards = [(x, large.predict(x)) for x in rng.normal(size=(3, 40, INPUTS))]
    sizes, correct = [], []
    for slack in (0.0, 0.99):
        fused = PFNM(settings=settings, slack=slack).fuse(networks, shards, np.ones((3, CLASSES)))
        best = fused.correct[settings.index(fused.setting)]
        assert best >= fused.correct.max() - slack * 120
        sizes.append(sum(fused.network.widths))
        correct.append(best)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]
    assert correct[0] == fused.correct.max()


def test_the_refitted_head_is_that_of_all_rows_together() -> None:
    rng, networks = np.random.default_rng(6), [network(seed, (6,)) for seed in range(3)]
    shards = [(rng.normal(size=(30, INPUTS)), rng.integers(CLASSES, size=30)) for _ in range(3)]
    pfnm = PFNM(settings=(Setting(),), head="refit")
    fused = pfnm.fuse(networks, shards, class_counts=COUNTS[:3])
    x, y = np.concatenate([x for x, _ in shards]), np.concatenate([y for _, y in shards])
    empty = x[:0], y[:0]
    pooled = pfnm.fuse(networks, [(x, y), empty, empty], class_counts=COUNTS[:3])
    for weights, expected in zip(arrays_of(pooled.network), arrays_of(fused.network), strict=True):
        np.testing.assert_allclose(weights, expected, rtol=1e-8, atol=1e-10)


def test_rounds_hand_owners_networks_of_their_widths_and_start_from_the_last_labels() -> None:
    one = network(7, (8, 6))
    networks = [reordered(one, seed) for seed in range(3)]
    rng = np.random.default_rng(7)
    x = rng.normal(size=(60, INPUTS))
    shards = [(x, predicted_classes(one, x))] * 3
    seen: list[tuple[int, ...]] = []

    def further(own: Network, shard: object, round: int) -> Network:
        seen.append(own.widths)
        return own

    pfnm = PFNM(settings=(Setting(noise_variance=0.1, read_out="split"),))
    fusions = list(communication_rounds(pfnm, networks, shards, further, 3))
    assert seen == [(8, 6)] * 6
    np.testing.assert_allclose(fusions[-1].network.outputs(X), one.outputs(X), atol=1e-10)


def test_a_part_of_permuted_copies_is_the_network_that_an_owner_brought() -> None:
    one = network(8, (7, 5))
    networks = [reordered(one, seed) for seed in range(3)]
    sub_networks = fuse(networks, None, read_out="mean", noise_variance=0.1).sub_networks()
    for own, brought in zip(sub_networks, networks, strict=True):
        for weights, expected in zip(arrays_of(own), arrays_of(brought), strict=True):
            np.testing.assert_allclose(weights, expected, atol=1e-12)


def test_unequal_widths_missing_classes_and_owners_without_rows_are_fused() -> None:
    networks = [network(0, (200,)), network(1, (3,)), network(2, (1,))]
    counts = np.array([[5, 0, 0, 1], [0, 0, 0, 0], [3, 2, 0, 1]])
    for read_out in ("map", "mean", "split"):
        fused = fuse(networks, counts, read_out=read_out)
        assert [len(own) for own in fused.labels[0]] == [200, 3, 1]
        assert all(np.isfinite(array).all() for array in arrays_of(fused.network))


def test_zeros_of_units_that_are_absent_pull_weights_between_layers_towards_zero() -> None:
    networks = [network(0, (4, 6)), network(0, (4, 6))]
    networks[1] = sub_network(networks[1], [np.arange(4), np.arange(3)])
    settings, labels = (Setting(read_out="mean"),), [[np.arange(4)] * 2, [np.arange(6), np.arange(3)]]
    ignored = PFNM(settings=settings, sweeps=0).fuse(networks, labels=labels)
    zeros = PFNM(settings=settings, sweeps=0, absent="zero").fuse(networks, labels=labels)
    np.testing.assert_array_equal(ignored.network.weights[1], networks[0].weights[1])
    np.testing.assert_array_equal(zeros.network.weights[1], networks[0].weights[1] * [1, 1, 1, 0.5, 0.5, 0.5])


def test_matched_units_read_out_with_the_layer_prior_that_they_had() -> None:
    networks, shares = [network(seed, (5,)) for seed in range(2)], class_shares(None, 2, CLASSES)
    setting = Setting((1.0,), (0.5,), (2.0,))
    match = PFNM(settings=(setting,)).match(networks, shares, setting)
    fused = fused_network(networks, match.units, match.labels, shares, setting.layers(1)[0], "map")
    again = fuse(networks, None, noise_variance=0.5, prior_variance=2.0).network
    np.testing.assert_array_equal(fused.weights[0], again.weights[0])


def test_arrays_and_records_of_networks_fuse_to_the_same() -> None:
    networks = [network(seed, (5,)) for seed in range(3)]
    setting = (Setting(),)
    one = PFNM(settings=setting).fuse(networks)
    other = PFNM(settings=setting).fuse([arrays_of(own) for own in networks])
    for weights, expected in zip(arrays_of(other.network), arrays_of(one.network), strict=True):
        np.testing.assert_array_equal(weights, expected)
    assert checked_networks([ARRAYS], "tanh")[0].activation == "tanh"


ONE = network(0, (4,))
ARRAYS = arrays_of(ONE)
ROWS = (X, np.zeros(len(X), dtype=int))


@pytest.mark.parametrize(
    ("networks", "options", "message"),
    [
        ([], {}, "at least one"),
        ([ARRAYS[:2]], {}, "Network 0 has no hidden layer"),
        ([ARRAYS[:3]], {}, "Network 0: .*even number"),
        ([ONE, network(1, (4, 4))], {}, "equal numbers of hidden layers; network 1 has 2, network 0 has 1"),
        ([(ARRAYS[0] * np.nan, *ARRAYS[1:])], {}, "Network 0: .*not finite"),
        ([ONE, (ARRAYS[0].T, *ARRAYS[1:])], {}, "Network 1: "),
        ([(np.zeros((5, 0)), np.zeros(0), np.zeros((0, 4)), np.zeros(4))], {}, "at least one of each"),
        ([ONE, (ARRAYS[0][:2], *ARRAYS[1:])], {}, "equal inputs; network 1 has 2, network 0 has 5"),
        ([ONE, replace(ONE, activation="tanh")], {}, "equal activations; network 1 has tanh, network 0 has relu"),
        ([ONE, replace(ONE, classes=np.arange(4))], {}, "equal classes"),
        ([ONE], {"class_counts": [[1, 2]]}, r"one row a network, \[1, 4\]"),
        ([ONE], {"class_counts": [[1, -2, 0, 0]]}, "finite numbers from 0"),
        ([ONE, ONE], {"shards": [ROWS]}, "each of 2 networks"),
        ([ONE], {"shards": [(X[:, 1:], ROWS[1])]}, r"inputs \[n, 5\]"),
        ([ONE], {"shards": [(X * np.inf, ROWS[1])]}, "shard 0 has NaN"),
        ([ONE], {"shards": [(X, ROWS[1] + 4)]}, "integers from 0 to 3"),
    ],
)
def test_what_does_not_fit_is_refused(networks: list, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        PFNM(settings=(Setting(),)).fuse(networks, **options)


def test_settings_that_cannot_be_are_refused() -> None:
    for setting in ({"mass": 0.0}, {"noise_variance": np.nan}, {"prior_variance": (1.0, -1.0)}, {"read_out": "mode"}):
        with pytest.raises(ValueError, match=r"above 0|read-out"):
            Setting(**setting)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="each of 1 hidden layers"):
        fuse([ONE], None, mass=(1.0, 2.0))
    with pytest.raises(ValueError, match="give shards, or a single setting"):
        PFNM().fuse([ONE])
    with pytest.raises(ValueError, match="needs rows: give shards"):
        PFNM(settings=(Setting(),), head="refit").fuse([ONE])
    with pytest.raises(ValueError, match="activation to be one of relu"):
        PFNM(settings=(Setting(),), activation="swish").fuse([ARRAYS])
    with pytest.raises(ValueError, match="slack from 0"):
        PFNM(slack=1.0).fuse([ONE])
    for wrong in ({"head": "new"}, {"absent": "nan"}, {"solver": "random"}):
        with pytest.raises(ValueError, match=f"needs {next(iter(wrong))} to be one of"):
            PFNM(settings=(Setting(),), **wrong).fuse([ONE])  # type: ignore[arg-type]
