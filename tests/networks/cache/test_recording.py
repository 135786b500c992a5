"""What is kept of an answer, and what is made of it again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.batch import View
from limbeck.modules.capture import Capture, asking
from limbeck.networks.cache.recording import Recorder
from limbeck.networks.datasets.batch import Batch


class Fixed(nn.Module):
    """Answers with the inputs; its layer returns a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = Twice()

    def forward(self, x: Tensor) -> Any:
        return {"logits": x, "other": self.layer(x)}


class Twice(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * x, 3 * x


def _through(recorder: Recorder, x: Tensor) -> tuple[dict[str, np.ndarray], View]:
    net = Fixed()
    with asking(net), Capture(net, recorder.layers) as capture:
        rows, outputs = recorder.record(net, capture, Batch(x, None, torch.arange(len(x))))
    assert outputs == x.shape[-1]
    return rows, recorder.restore(lambda name: torch.from_numpy(rows[name]), outputs)


X = torch.tensor([[1.0, 4.0, 2.0, 0.0], [3.0, -1.0, 0.0, 7.0]])


def test_all_logits_and_layers() -> None:
    rows, view = _through(Recorder(None, ("layer", "layer[1]"), "float32"), X)
    assert set(rows) == {"logits", "layer_0", "layer_1", "marks"}
    assert view.logits.equal(X)
    assert view.layers["layer"].equal(2 * X)
    assert view.layers["layer[1]"].equal(3 * X)


def test_the_largest_logits_by_hand() -> None:
    rows, view = _through(Recorder(2, (), "float32"), X)
    assert rows["values"].tolist() == [[4.0, 2.0], [7.0, 3.0]]
    assert rows["indices"].tolist() == [[1, 2], [3, 0]]
    assert rows["indices"].dtype == np.uint16
    p = X.softmax(1)
    np.testing.assert_allclose(
        np.exp(rows["log_rest"]), [p[0, [0, 3]].sum(), p[1, 1:3].sum()], 1e-5
    )
    assert view.logits[0, 0] == view.logits[0, 3]
    torch.testing.assert_close(
        view.logits.softmax(1)[0, :2], torch.stack([p[0, [0, 3]].mean(), p[0, 1]])
    )


def test_many_outputs_need_wider_places() -> None:
    x = torch.zeros(1, 70_000)
    x[0, 69_999] = 5.0
    rows, view = _through(Recorder(1, (), "float32"), x)
    assert rows["indices"].dtype == np.uint32
    assert view.logits.argmax().item() == 69_999


@pytest.mark.parametrize(
    ("dtype", "wide"), [("float16", torch.float32), ("float64", torch.float64)]
)
def test_stored_narrow_and_given_wide(dtype: str, wide: torch.dtype) -> None:
    rows, view = _through(Recorder(None, (), dtype), X / 3)
    assert rows["logits"].dtype == np.dtype(dtype)
    assert view.logits.dtype is wide
    torch.testing.assert_close(view.logits, (X / 3).to(wide), rtol=2**-11, atol=0)


def test_half_precision_of_the_teacher_is_widened() -> None:
    _, view = _through(Recorder(None, (), "float32"), X.bfloat16())
    assert view.logits.dtype is torch.float32
    assert view.logits.equal(X)


def test_a_number_beyond_the_dtype() -> None:
    with pytest.raises(InvalidInput, match=r"7e\+05 in logits is too large for float16"):
        _through(Recorder(None, (), "float16"), X * 1e5)
    infinite = X.masked_fill(X < 1, -torch.inf)  # a teacher that rules classes out
    _, view = _through(Recorder(None, (), "float16"), infinite)
    assert view.logits.equal(infinite)
