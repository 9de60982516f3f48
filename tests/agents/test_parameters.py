"""Laws of where each hyper-parameter stands."""

import numpy as np
import pytest

from coolgp.agents.parameters import LOG_BOUND, VARIANCE_BOUND, Layout

ALL = [(full, uncertain) for full in (False, True) for uncertain in (False, True)]


@pytest.fixture(params=ALL, ids=["diagonal", "diagonal uncertain", "full", "full uncertain"])
def layout(request):
    return Layout(3, *request.param)


def test_a_layout_reads_what_it_packs(layout):
    theta = layout.pack(np.array([0.5, 2.0, 4.0]), 1.3, 0.05, spread=0.2)
    assert theta.shape == (layout.size,)
    np.testing.assert_allclose(layout.projection(theta), np.diag([2.0, 0.5, 0.25]))
    np.testing.assert_allclose(layout.lengthscale(theta), [0.5, 2.0, 4.0])
    assert layout.signal_variance(theta) == pytest.approx(1.3)
    assert layout.noise_variance(theta) == pytest.approx(0.05)


def test_one_lengthscale_stands_for_all_inputs(layout):
    one, three = (layout.pack(np.array(scale), 1.0, 0.1, spread=0.2) for scale in (0.5, [0.5, 0.5, 0.5]))
    np.testing.assert_array_equal(one, three)


def test_the_spread_is_zero_where_the_projection_is_certain(layout):
    theta = layout.pack(np.ones(3), 1.0, 0.1, spread=0.2)
    free = np.ones((3, 3)) if layout.full else np.eye(3)
    np.testing.assert_allclose(layout.spread(theta), 0.2 * free if layout.uncertain else 0 * free)


def test_every_hyper_parameter_of_many_agents_is_read_from_its_own_row(layout):
    thetas = 0.3 * np.random.default_rng(0).standard_normal((4, layout.size))
    for read in (layout.projection, layout.spread, layout.lengthscale, layout.signal_variance, layout.noise_variance):
        np.testing.assert_array_equal(read(thetas)[2], read(thetas[2]))


def test_lengthscales_do_not_change_when_the_standardized_domain_is_rotated():
    layout = Layout(3, full=True)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    theta = layout.pack(np.array([0.5, 2.0, 4.0]), 1.0, 0.1)
    turned = np.concatenate([(turn @ layout.projection(theta)).ravel(), theta[-2:]])
    np.testing.assert_allclose(layout.lengthscale(turned), layout.lengthscale(theta))


def test_the_chain_rule_is_that_of_finite_differences(layout):
    """Of a linear function of the projection, of its spread and of the log variances."""
    rng = np.random.default_rng(0)
    theta = 0.3 * rng.standard_normal(layout.size)
    by_projection, by_spread, by_variances = rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=2)

    def objective(at):
        spread = (by_spread * layout.spread(at)).sum()
        return (by_projection * layout.projection(at)).sum() + spread + by_variances @ at[-2:]

    steps = 1e-6 * np.eye(layout.size)
    expected = [(objective(theta + step) - objective(theta - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(layout.gradient(theta, by_projection, by_spread, by_variances), expected, rtol=1e-8)


def test_bounded_hyper_parameters_stay_and_others_end_at_the_bound(layout):
    reach = np.full(layout.size, LOG_BOUND)
    reach[-2:] = VARIANCE_BOUND
    theta = 2 * reach * np.linspace(-1, 1, layout.size)
    inside = np.abs(theta) <= reach
    np.testing.assert_array_equal(layout.bounded(theta, np.zeros(layout.size))[inside], theta[inside])
    np.testing.assert_array_equal(np.abs(layout.bounded(theta, np.zeros(layout.size)))[~inside], reach[~inside])


def test_names_follow_the_features(layout):
    names = layout.names(("a", "b", "c"))
    assert names == ("lengthscale_a", "lengthscale_b", "lengthscale_c", "signal_variance", "noise_variance")
