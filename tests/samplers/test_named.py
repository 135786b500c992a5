from __future__ import annotations

import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS
from limbeck.samplers.gaussian_copula import GaussianCopula
from limbeck.samplers.munge import Munge
from limbeck.samplers.named import TRIED, sampler_named


def test_names_lead_to_samplers():
    assert sampler_named("munge") == Munge()
    assert sampler_named("gaussian_copula") == GaussianCopula()
    for name in (*SAMPLERS.names(), *TRIED):
        assert sampler_named(name).describe()


def test_a_wrong_name_is_refused_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"There is no sampler 'jiter'.*jitter"):
        sampler_named("jiter")
