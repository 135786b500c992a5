from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS
from limbeck.samplers.named import sampler_named
from limbeck.samplers.signals import (
    SIGNALS,
    MaskedSignals,
    MixedSignals,
    NoisySignals,
    ScaledSignals,
    ShiftedSignals,
    SignalVariants,
)

NAMES = [name for name in SAMPLERS.names() if name.startswith("signal_")]
SHAPES = [(20,), (20, 3), (2, 20), (2, 6, 8)]


def rows(shape=(20,), n: int = 30, dtype=float) -> Rows:
    X = np.random.default_rng(0).normal(size=(n, *shape)).cumsum(axis=-1).astype(dtype)
    return Features.of(X).rows(X)


def drawn(sampler, given: Rows, n: int = 200):
    out, sources = sampler.draw_with_sources(given, n, np.random.default_rng(1))
    return out.values, given.values[sources[:, 0]], given.values[sources[:, 1]]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_variants_have_the_shape_and_precision_of_the_rows(name, shape) -> None:
    given = rows(shape, dtype=np.float32)
    sampler = sampler_named(name)
    out, sources = sampler.draw_with_sources(given, 50, np.random.default_rng(0))
    again = sampler.draw(given, 50, np.random.default_rng(0))
    assert (out.values == again.values).all()
    assert out.values.shape == (50, np.prod(shape))
    assert out.features is given.features
    assert sources.shape == (50, 2)
    assert (out.values == out.values.astype(np.float32)).all()
    assert np.isfinite(out.values).all()
    assert not (out.values == given.values[sources[:, 0]]).all()
    assert "signals of the data, " in sampler.describe()


def test_shifts_repeat_the_ends() -> None:
    given = rows()
    out, own, _ = drawn(ShiftedSignals(0.2), given)
    for new, old in zip(out, own, strict=True):
        moves = [np.array_equal(new, old[np.clip(np.arange(20) - m, 0, 19)]) for m in range(-4, 5)]
        assert any(moves)


def test_channels_and_sides_of_images_move_together() -> None:
    signals, images = rows((20, 3)), rows((2, 6, 8))
    out, own, _ = drawn(ShiftedSignals(0.2), signals)
    out, own = out.reshape(-1, 20, 3), own.reshape(-1, 20, 3)
    middle = slice(4, 16)
    for new, old in zip(out, own, strict=True):
        assert any(
            np.array_equal(new[middle], np.roll(old, m, axis=0)[middle]) for m in range(-4, 5)
        )
    out, own, _ = drawn(ShiftedSignals(0.3), images)
    assert (out.reshape(-1, 2, 6, 8) != own.reshape(-1, 2, 6, 8)).any(axis=(0, 1)).all()


def test_scaling_keeps_mean_and_form() -> None:
    out, own, _ = drawn(ScaledSignals(0.3), rows())
    assert np.allclose(out.mean(axis=1), own.mean(axis=1))
    assert all(np.corrcoef(a, b)[0, 1] > 0.999 for a, b in zip(out, own, strict=True))
    ratio = np.log(out.std(axis=1) / own.std(axis=1))
    assert ratio.std() == pytest.approx(0.3, abs=0.06)


def test_noise_is_as_large_as_said_in_each_channel() -> None:
    given = rows((20, 2))
    given.values[:, 1::2] *= 100
    out, own, _ = drawn(NoisySignals(0.1), given, 2000)
    spread = given.values.reshape(-1, 20, 2).std(axis=(0, 1))
    assert (out - own).reshape(-1, 20, 2).std(axis=(0, 1)) == pytest.approx(0.1 * spread, rel=0.05)


def test_mixing_stays_on_the_line_to_a_near_signal() -> None:
    given = rows()
    out, own, other = drawn(MixedSignals(0.5), given)
    way = ((out - own) * (other - own)).sum(axis=1) / ((other - own) ** 2).sum(axis=1)
    assert np.allclose(out, own + way[:, None] * (other - own))
    assert (way >= 0).all()
    assert (way <= 0.5).all()
    distance = np.linalg.norm(given.values[:, None] - given.values[None], axis=2)
    rank = (distance[:, :, None] > distance[:, None]).sum(axis=2)
    _, sources = MixedSignals().draw_with_sources(given, 200, np.random.default_rng(1))
    assert rank[sources[:, 0], sources[:, 1]].max() <= 5


def test_a_masked_stretch_is_the_mean_of_its_signal() -> None:
    out, own, _ = drawn(MaskedSignals(0.3), rows())
    changed = out != own
    assert changed.sum(axis=1).max() <= 6
    for new, old, hit in zip(out, own, changed, strict=True):
        assert np.allclose(new[hit], old.mean())
        assert (np.diff(np.flatnonzero(hit)) == 1).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ShiftedSignals(2.0), "most is 2.0"),
        (lambda: NoisySignals(-1.0), "size is -1.0"),
        (lambda: MixedSignals(float("nan")), "most is nan"),
        (lambda: SignalVariants(p=3.0), "p is 3.0"),
        (lambda: SignalVariants(shift=3.0), "most is 3.0"),
        (lambda: ScaledSignals().draw(rows(), -1, np.random.default_rng(0)), "n is -1"),
    ],
)
def test_bad_settings_are_refused(make, words) -> None:
    with pytest.raises(InvalidInput, match=words):
        make()


def test_categories_are_no_signals_and_one_signal_has_no_neighbour() -> None:
    X = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    with pytest.raises(InvalidInput, match="'b' is a category"):
        NoisySignals().draw(Features.of(X).rows(X), 3, np.random.default_rng(0))
    one = rows(n=1)
    assert (MixedSignals().draw(one, 4, np.random.default_rng(0)).values == one.values).all()
    assert set(SIGNALS) <= set(NAMES)
