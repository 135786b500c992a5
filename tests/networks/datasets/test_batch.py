"""A batch of any form moves as a whole, and tells its mask."""

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.datasets.batch import Batch  # noqa: E402


@pytest.mark.parametrize("form", ["tensor", "tuple", "names"])
def test_inputs_of_every_form_and_labels_move_together_and_the_places_stay(form):
    x = torch.ones(3, 2)
    inputs = {"tensor": x, "tuple": (x, x), "names": {"ids": x, "attention_mask": x > 0}}[form]
    batch = Batch(inputs, torch.zeros(3), torch.arange(3), labelled=torch.ones(3) > 0)
    assert len(batch) == 3
    assert batch.to("cpu") is batch.to(None) is batch
    moved = batch.to("meta")
    assert moved.device == moved.labels.device == moved.labelled.device == torch.device("meta")
    assert moved.index.device == torch.device("cpu")
    assert type(moved.inputs) is type(inputs)


def test_only_named_inputs_have_a_mask():
    x = torch.ones(3, 2)
    assert Batch(x, None, torch.arange(3)).mask is None
    assert Batch({"ids": x, "attention_mask": x}, None, torch.arange(3)).mask is x
