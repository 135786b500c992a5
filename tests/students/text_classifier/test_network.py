from __future__ import annotations

import numpy as np

from limbeck.students.text_classifier.network import fit_network


def test_slopes_of_the_network_are_those_of_its_loss():
    """The minimum of a network of one unit is one of the loss, seen from outside."""
    rng = np.random.default_rng(0)
    X, soft = rng.normal(size=(60, 3)), rng.dirichlet(np.ones(3), 60)
    found = fit_network(X, soft, np.ones(60), True, units=4, penalty=0.01, rng=rng)

    def loss(model) -> float:
        total = model.scores(X)
        log_p = total - np.log(np.exp(total).sum(axis=1, keepdims=True))
        squares = (model.hidden**2).sum() + (model.weights**2).sum()
        return float(-(soft * log_p).sum(axis=1).mean() + 0.005 * squares)

    at = loss(found)
    worse = 0
    for _ in range(40):
        moved = type(found)(*(
            getattr(found, n) + 0.05 * rng.normal(size=getattr(found, n).shape)
            for n in ("hidden", "level", "weights", "intercept")
        ))  # fmt: skip
        worse += loss(moved) > at
    assert worse >= 38
