from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from limbeck.certificates.bounds import Betting, EmpiricalBernstein
from limbeck.certificates.loss_file import LossFile
from limbeck.certificates.planning import plan_means
from limbeck.certificates.streamed_means import bound_on_disk, plan_on_disk

# numpy 2.0 halves long sums elsewhere
EXACT = np.lib.NumpyVersion(np.__version__) >= "2.3.0"
near = (lambda value: value) if EXACT else (lambda value: pytest.approx(value, rel=1e-13))


@pytest.mark.parametrize("n", [2, 9, 65_536, 65_537, 200_003])
def test_bounds_round_as_those_of_the_array(tmp_path: Path, n: int) -> None:
    losses = np.random.default_rng(n).uniform(-1, 3, size=n)
    file = LossFile(tmp_path / "losses")
    for part in np.array_split(losses, [n // 3, n // 2]):
        file.append(part)
    for name, kind in (("betting", Betting), ("empirical-bernstein", EmpiricalBernstein)):
        assert bound_on_disk(file, name, 0.05, -1, 3) == near(kind.upper(losses, 0.05, -1, 3))
        plan = plan_means(losses, 0.99, 0.05, -1, 3, kind.upper)
        assert plan_on_disk(file, 0.99, name, 0.05, -1, 3) == plan
