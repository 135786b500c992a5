from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pywt")

import limbeck
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.strict_json import write_json
from limbeck.results.attribution import Attribution
from limbeck.signal.transforms import Components, Fourier, Own, Wavelet

X = np.random.default_rng(0).normal(size=(6, 16))


def early(x):
    return x.reshape(len(x), -1)[:, :8].sum(axis=1)


@pytest.mark.parametrize(
    ("transform", "rows"),
    [
        (Wavelet("haar", levels=3), X),
        (Fourier(), X.reshape(6, 1, 4, 4)),
        (Components(), X[:, :3]),
        (Own(lambda x: 2 * x, lambda s: s / 2), X),
    ],
)
def test_what_was_saved_prints_draws_and_counts_the_same(transform, rows, tmp_path):
    found = limbeck.trim(early, rows, transform=transform, step=0.5)
    again = limbeck.load(found.save(tmp_path / "run"))
    assert isinstance(again, Attribution)
    assert str(again) == str(found)
    assert again._repr_html_() == found._repr_html_()
    assert again.by_band() == found.by_band()
    for name in ("scores", "coefficients", "outputs"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert again.bands == found.bands
    assert again.to_dict() == found.to_dict()
    assert again.to_frame().equals(found.to_frame())
    assert (tmp_path / "run/report.html").read_text().count("<table") == 1
    shutil.rmtree(tmp_path / "run")
    assert str(limbeck.load(again.save(tmp_path / "run"))) == str(found)


def test_more_bands_than_a_table_shows_are_all_on_the_page(tmp_path):
    found = limbeck.trim(early, X, transform=Components())
    page = found.report(tmp_path / "page.html").read_text()
    assert page.count("<table") == 2
    assert "component 16" in page.lower() or page.count("<tr") >= 12 + 16


def test_a_transform_read_from_disk_says_that_it_cannot_transform(tmp_path):
    found = limbeck.trim(early, X, transform="haar")
    again = limbeck.load(found.save(tmp_path))
    with pytest.raises(InvalidInput, match=r"Wavelet\(haar.*keeps its bands alone"):
        again.transform.forward(X)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["bands"].pop(),
        lambda d: d.update(rows=5),
        lambda d: d.update(shape=[4, 4]),
        lambda d: d["bands"][0].update(sum=9.0),
        lambda d: d.update(attribution="magic"),
        lambda d: d.update(still="none"),
        lambda d: d.update(still=1.5),
        lambda d: d.update(inverse_error=-1.0),
        lambda d: d.update(step=-0.01),
        lambda d: d.pop("transform"),
        lambda d: d.update(version=99),
    ],
)
def test_numbers_that_do_not_fit_the_rows_are_refused(change, tmp_path):
    folder = limbeck.trim(early, X, transform="haar").save(tmp_path / "run")
    data = json.loads((folder / "result.json").read_text())
    change(data)
    write_json(data, folder / "result.json")
    with pytest.raises(FileRefused):
        limbeck.load(folder)
