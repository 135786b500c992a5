from __future__ import annotations

import numpy as np
import pytest

from limbeck.reports.printed import plain_text
from limbeck.results.attribution import Attribution
from limbeck.results.attributions import attribution_fragment, attribution_table
from limbeck.signal.transforms import Components, Fourier, Own, Wavelet


def found(transform, scores, error=0.0):
    which = np.zeros(len(scores), np.int64)
    return Attribution(scores, scores, which, "saliency", transform, "net <b>", error)


def test_sums_shares_and_means_by_band():
    scores = np.tile([3.0, -3.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0], (2, 1))
    transform = Wavelet("haar", levels=1).fit(np.ones((1, 8)))
    lines = plain_text(attribution_table(found(transform, scores))).splitlines()
    assert lines[0] == "net <b> in Wavelet(haar, levels=1, boundary='periodic'): saliency of 8" \
        " coefficients, 2 rows"  # fmt: skip
    rows = [line.split() for line in lines if line.startswith(("approximation", "detail"))]
    assert rows == [
        ["approximation", "1", "4", "7.0000", "87.5%", "1.7500"],
        ["detail", "1", "4", "1.0000", "12.5%", "0.2500"],
    ]


def test_small_numbers_keep_their_figures():
    transform = Fourier(1).fit(np.ones((1, 4)))
    text = plain_text(attribution_table(found(transform, np.full((1, 4), 1.25e-7))))
    assert "5.000e-07" in text
    assert "1.250e-07" in text


@pytest.mark.parametrize(("error", "says"), [(0, "gives the rows back"), (0.1, "misses 10.00%")])
def test_what_the_inverse_loses_is_said(error, says):
    made = found(Fourier().fit(np.ones((1, 8))), np.ones((1, 8)), error)
    assert says in plain_text(attribution_table(made))
    assert says in attribution_fragment(made)


def test_of_many_bands_the_strongest_in_their_order():
    transform = Components().fit(np.random.default_rng(0).normal(size=(40, 20)))
    scores = np.arange(20.0)[None] % 15
    text = plain_text(attribution_table(found(transform, scores)))
    shown = [int(line.split()[1]) for line in text.splitlines() if line.startswith("component")]
    assert len(shown) == 12
    assert shown == sorted(shown)
    assert {15, 14, 13} <= set(shown)
    assert not {1, 16, 2, 17} & set(shown)
    assert "The strongest 12 of 20 bands." in text


def test_the_fragment_draws_signals_and_pictures_and_leaves_crowds_to_the_table():
    signal = found(Wavelet("haar", levels=1).fit(np.ones((1, 2, 8))), np.ones((1, 16)))
    drawn = attribution_fragment(signal)
    assert 'class="heat"' in drawn
    assert "<b>" not in drawn
    picture = found(Wavelet("haar", levels=1).fit(np.ones((1, 1, 4, 4))), np.ones((1, 16)))
    assert attribution_fragment(picture).count('class="lane"') == 4  # a map a band
    crowd = Own(lambda x: x, lambda s: s).fit(np.ones((1, 5000)))
    assert 'class="heat"' not in attribution_fragment(found(crowd, np.ones((1, 5000))))


def test_no_attribution_at_all_divides_nothing():
    made = found(Fourier(2).fit(np.ones((1, 8))), np.zeros((3, 8)))
    assert "0.0%" in plain_text(attribution_table(made))
