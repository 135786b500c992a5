from __future__ import annotations

from types import SimpleNamespace

from limbeck.students.wavelet.drawing import weights


def test_bands_have_their_share_of_all_in_their_order() -> None:
    student = SimpleNamespace(
        size=1200, importances=lambda: {"detail 1": 3.0, "detail 2": 1.0},
        bands=[SimpleNamespace(name="detail 2"), SimpleNamespace(name="detail 1")],
    )  # fmt: skip
    page = str(weights(student))
    assert "1,200 coefficients" in page
    assert page.index("detail 2") < page.index("25") < page.index("detail 1") < page.index("75")
    student.importances = lambda: {"detail 1": 0.0, "detail 2": 0.0}
    assert "nan" not in str(weights(student))
