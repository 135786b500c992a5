"""Every result draws itself on matplotlib axes and becomes a data frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.errors import InvalidInput

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result() -> Any:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "$b$", "c"])
    y = np.where(X["a"] + X["c"] > 0, "_yes", "no")
    return limbeck.distill(
        lambda X: np.where(X["a"] + X["c"] > 0, "_yes", "no"), X, y,
        classes=["_yes", "no"], max_leaves=4, queries=50, progress=False,
    )  # fmt: skip


def labels(ax: Any) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels()]


def test_a_distillation_draws_its_models_with_intervals(result: Any) -> None:
    ax = result.plot()
    ax.figure.canvas.draw()
    entries = result.comparison.entries
    assert [label.split("\n")[0] for label in labels(ax)] == [e.role for e in entries]
    agreement, accuracy = ax.containers
    assert agreement.get_label() == "agreement with the teacher"
    np.testing.assert_allclose(
        np.asarray(agreement[0].get_xdata(), float), [e.agreement.value for e in entries[1:]]
    )
    np.testing.assert_allclose(
        np.asarray(accuracy[0].get_xdata(), float), [e.accuracy.value for e in entries]
    )
    ends = [segment[:, 0].tolist() for segment in agreement[2][0].get_segments()]
    np.testing.assert_allclose(ends, [[e.agreement.low, e.agreement.high] for e in entries[1:]])
    assert "95% intervals" in ax.get_xlabel()


def test_without_labels_there_is_one_measure(result: Any) -> None:
    entries = tuple(replace(e, accuracy=None) for e in result.comparison.entries)
    bare = replace(result, comparison=replace(result.comparison, entries=entries))
    ax = bare.plot()
    assert len(ax.containers) == 1
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "agreement with the teacher, 95% intervals"


def test_the_data_frames_of_a_distillation(result: Any) -> None:
    frame, entries = result.to_frame(), result.comparison.entries
    assert frame["role"].tolist() == [e.role for e in entries]
    assert frame["accuracy_high"].tolist() == [e.accuracy.high for e in entries]
    assert np.isnan(frame["agreement"].iloc[0])  # the teacher with itself
    classes = result.to_frame("classes")
    assert classes["class"].tolist() == ["_yes", "no"]
    assert classes["rows"].sum() == result.certificate.n
    assert result.to_frame("sizes")["size"].tolist() == [int(f["size"]) for f in result.frontier]
    for name in result.tables():
        assert len(result.to_frame(name)) > 0
    with pytest.raises(InvalidInput, match=r"There is no table 'sises'. Did you mean 'sizes'"):
        result.to_frame("sises")


def test_attributions_are_bars_and_a_frame() -> None:
    pytest.importorskip("torch")
    from limbeck.signal.transforms import Wavelet

    rows = np.random.default_rng(0).normal(size=(10, 16))
    found = limbeck.trim(lambda x: x[:, :8].sum(axis=1), rows, transform=Wavelet("haar", levels=3))
    ax = found.plot()
    assert labels(ax) == [band.name for band in found.bands]
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, list(found.by_band().values()))
    frame = found.to_frame()
    assert frame["attribution"].tolist() == list(found.by_band().values())
    assert frame["share"].sum() == pytest.approx(1)
    assert frame["coefficients"].sum() == 16
