from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import pywt

from limbeck.results.wavelet_sections.facts import WaveletFacts, kept_rows
from limbeck.signal.filters import functions


def test_facts_are_those_of_trace_and_student(wavelet_results):
    result = wavelet_results["signal"]
    facts = WaveletFacts.of(result)
    assert facts.start == "db5"
    np.testing.assert_array_equal(facts.before, pywt.Wavelet("db5").rec_lo)
    np.testing.assert_array_equal(facts.after, result.student.filters.low)
    assert facts.bands == ("approximation 2", "detail 2", "detail 1")
    np.testing.assert_allclose(facts.share, np.array([5, 3, 1]) / 9)
    assert facts.along.shape == (3, 40)
    assert [p.kept for p in facts.path] == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1])
    assert facts.chosen == 3
    assert facts.success is True
    assert facts.starts == 24


def test_a_trace_without_a_search_has_no_before_and_no_path(wavelet_results):
    facts = WaveletFacts.of(replace(wavelet_results["signal"], trace={}))
    assert facts.before is None
    assert facts.path == ()
    assert facts.along is None
    assert facts.chosen is None
    assert facts.starts == 0


def test_points_without_a_score_are_left_out(wavelet_results):
    path = [{"trim": 0.0, "sparsity": 0.0, "kept": 0.5, "score": s} for s in (None, np.nan, 0.3)]
    trace = {"path": path, "chosen": 2, "starts": ["db2", "db3"]}
    facts = WaveletFacts.of(replace(wavelet_results["signal"], trace=trace))
    assert [p.score for p in facts.path] == [0.3]
    assert facts.starts == 2
    assert facts.chosen == 0  # still the same point


def test_filters_that_did_not_change_are_shown_once(wavelet_results):
    low = list(wavelet_results["signal"].student.filters.low)
    trace = {"start": {"wavelet": "sym5", "low": low}}
    assert WaveletFacts.of(replace(wavelet_results["signal"], trace=trace)).before is None


@pytest.mark.parametrize("name", ["haar", "db4", "sym5", "coif2"])
def test_functions_are_those_of_pywavelets(name):
    wavelet = pywt.Wavelet(name)
    (x, phi), (_, psi) = functions(np.array(wavelet.rec_lo))
    peer_phi, peer_psi, peer_x = wavelet.wavefun(level=5)
    np.testing.assert_allclose(x, peer_x)
    np.testing.assert_allclose(phi, peer_phi, atol=1e-10)
    np.testing.assert_allclose(psi, peer_psi, atol=1e-10)


@pytest.mark.parametrize("kind", ["signal", "channels", "picture"])
def test_kept_rows_are_the_students_own(wavelet_results, kind):
    result = wavelet_results[kind]
    kept = kept_rows(result)
    shape = {"signal": (6, 1, 40), "channels": (6, 2, 32), "picture": (6, 1, 12, 16)}[kind]
    assert kept.original.shape == kept.kept.shape == shape
    rows = result.holdout.rows.values
    back = result.student.reconstruct(rows).reshape(rows.shape)
    lost = ((rows - back) ** 2).sum() / (rows**2).sum()
    assert kept.energy == pytest.approx(1 - lost)
    for original, own in zip(kept.original, kept.kept, strict=True):
        at = int(np.flatnonzero((rows == original.ravel()).all(axis=1))[0])
        np.testing.assert_allclose(own.ravel(), back[at])


def test_rows_shown_go_from_the_smallest_to_the_largest_value(wavelet_results):
    kept = kept_rows(wavelet_results["signal"])
    values = [float(v.replace("−", "-")) for v in kept.teacher]
    answers = wavelet_results["signal"].holdout.answers
    assert values == sorted(values)
    assert values[0] == pytest.approx(answers.min(), rel=1e-2)
    assert values[-1] == pytest.approx(answers.max(), rel=1e-2)


def test_rows_shown_are_of_every_class(wavelet_results):
    assert sorted(kept_rows(wavelet_results["picture"]).teacher) == ["0"] * 3 + ["1"] * 3
