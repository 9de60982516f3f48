"""When a surrogate has the most likely class of its expert: the theorem on imitation that holds, and its limit."""

import numpy as np
from scipy.special import rel_entr

RNG = np.random.default_rng(0)


def divergence(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """``KL(q ‖ p)`` in nats."""
    return rel_entr(q, p).sum(axis=-1)


def half_margin(q: np.ndarray) -> np.ndarray:
    """Half of what the most likely class is ahead of the next."""
    ordered = np.sort(q, axis=-1)
    return (ordered[..., -1] - ordered[..., -2]) / 2.0


def test_a_divergence_below_twice_the_squared_half_margin_keeps_the_most_likely_class() -> None:
    near = 0
    for classes in (2, 3, 5):
        q = RNG.dirichlet(np.ones(classes), size=60_000)
        p = RNG.dirichlet(np.ones(classes), size=60_000)
        mixed = RNG.random((60_000, 1))
        p = mixed * p + (1.0 - mixed) * q  # some of them near
        within = divergence(q, p) <= 2.0 * half_margin(q) ** 2
        assert (q[within].argmax(axis=1) == p[within].argmax(axis=1)).all()
        near += int(within.sum())
    assert near > 50_000


def test_no_larger_divergence_would_do() -> None:
    for alpha in (0.1, 0.01):
        q, tie = np.array([0.5 + alpha, 0.5 - alpha]), np.array([0.5, 0.5])
        assert 2.0 < divergence(q, tie) / alpha**2 < 2.0 + 2.0 * alpha**2
