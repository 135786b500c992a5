from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from limbeck.api.search_file import tuned
from limbeck.core.errors import InvalidInput

RUN = "teacher: a:b\nstudent: a:b\ntrain: a:b\nrecipe: patient\nout: run\nover: "


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ("3", "over is 3: there is nothing to search over"),
        ("{}", "over is {}: there is nothing"),
        ("{lr: {normal: [0, 1]}}", "over of lr is {'normal'"),
        ("{lr: {loguniform: [0.1]}}", r"over of lr is {'loguniform': \[0.1\]}"),
        ("{lr: {uniform: [1, 0]}}", "over of lr is from 1 to 0"),
        ("{lr: {uniform: [a, b]}}", "over of lr is from 'a' to 'b'"),
        ("{lr: {loguniform: [0, 1]}}", "over of lr begins at 0"),
    ],
)
def test_what_is_searched_over_is_refused_before_models_are_opened(
    tmp_path: Path, over: str, says: str
) -> None:
    (tmp_path / "run.yaml").write_text(RUN + over)
    with pytest.raises(InvalidInput, match=says):
        tuned(tmp_path / "run.yaml")
