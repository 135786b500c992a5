from __future__ import annotations

from dataclasses import replace

import numpy as np

from limbeck.reports.numbers import decimal
from limbeck.results.audit_sections.frames import bin_table, certain, differing, fit_table, tables
from limbeck.results.audit_sections.page import audit_page
from tests.results.audit_sections.test_page import SHAPES, Reader, example, only_score


def test_small_contributions_keep_their_digits() -> None:
    audit = example()
    assert audit.differences is not None
    tiny = tuple(replace(s, score=s.score / 1e4, score_band=s.score_band / 1e4) for s in SHAPES)
    page = audit_page(replace(audit, differences=replace(audit.differences, shapes=tiny)))
    assert decimal(float(tiny[0].score[0]), 6) in Reader(page).text


def test_a_bin_differs_where_its_band_of_all_bins_leaves_zero_out() -> None:
    band = np.array([[-0.1, 0.1], [0.1, 0.2], [-0.2, -0.1], [0.0, 0.3]])
    four = replace(SHAPES[3], count=np.ones(4), difference=band.mean(axis=1), simultaneous=band)
    assert [certain(four, i) for i in range(4)] == [False, True, True, False]
    assert differing(four) == 2
    bare = replace(four, simultaneous=np.empty((0, 2)))
    assert differing(bare) == 0


def test_the_tables_are_those_that_have_rows() -> None:
    audit = example()
    assert list(tables(audit)) == ["features", "bins", "fit", "groups"]
    assert list(tables(replace(audit, differences=None, groups=()))) == ["fit"]
    features = tables(audit)["features"].to_frame()
    assert features["feature"].tolist() == [s.feature for s in SHAPES]
    assert features["differing_bins"].tolist() == [differing(s) for s in SHAPES]
    assert features["bins"].tolist() == [len(s.count) for s in SHAPES]
    assert tables(audit)["groups"].to_frame()["group"].tolist() == ["A", "<i>B</i>"]


def test_every_bin_has_its_numbers_with_their_bands() -> None:
    age = SHAPES[0]
    frame = bin_table([age]).to_frame()
    assert "feature" not in frame
    np.testing.assert_array_equal(frame["score"], age.score)
    np.testing.assert_array_equal(frame[["score_low", "score_high"]], age.score_band)
    np.testing.assert_array_equal(frame["difference_at_once_low"], age.simultaneous[:, 0])
    both = bin_table(SHAPES[:2]).to_frame()
    assert both["feature"].tolist() == ["age"] * 10 + [SHAPES[1].feature] * 2


def test_a_measure_that_is_not_there_has_no_line() -> None:
    assert [row[1] for row in fit_table(only_score(example())).rows] == [
        "R²", "RMSE, in units of decile_score",
    ]  # fmt: skip
