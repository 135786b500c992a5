from __future__ import annotations

import pytest

from limbeck.core.errors import AccessDenied
from limbeck.teachers.closed import Closed


class Service(Closed):
    def _denied(self, what):
        return AccessDenied(f"No {what}.", "Ask for scores.")


def test_the_inside_is_denied_by_the_teachers_own_sentence():
    closed = Service()
    assert closed.layers() == ()
    with pytest.raises(AccessDenied, match="No activations"):
        closed.activations([], ["a"])
    with pytest.raises(AccessDenied, match="No gradients"):
        closed.gradient([], 0)
    with pytest.raises(TypeError, match="_denied"):
        Closed()
