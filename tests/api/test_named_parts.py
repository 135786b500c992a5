"""Names in a run file become objects, or are refused with what is near."""

import pytest

pytest.importorskip("torch")

from limbeck.api.named_parts import made, metrics_of, objective_of, of_torch
from limbeck.core.errors import InvalidInput


def test_a_registered_loss_of_another_package_is_named_in_the_objective() -> None:
    from limbeck.core.registry import LOSSES
    from limbeck.networks import GoldLabels

    @LOSSES.register("LabelsOfOthers")
    class LabelsOfOthers(GoldLabels): ...

    found = objective_of([{"name": "LabelsOfOthers", "weight": 2.0, "label_smoothing": 0.1}])
    (part,) = found.parts
    assert (type(part.term), part.weight) == (LabelsOfOthers, 2.0)
    with pytest.raises(InvalidInput, match="Did you mean 'LabelsOfOthers'"):
        objective_of(["LabelOfOthers"])


def test_names_become_objects_with_their_settings():
    import torch

    assert made({"name": "SoftTargets", "temperature": 4.0}, "objective").temperature == 4.0
    assert metrics_of("math:sqrt")["sqrt"](9.0) == 3.0
    weight = torch.nn.Parameter(torch.ones(1))
    assert of_torch({"name": "SGD", "lr": 0.5}, "optimizer")([weight]).defaults["lr"] == 0.5
    for wrong, said in [
        (lambda: made({"name": "SoftTargets", "temprature": 4.0}, "objective"), "'temperature'"),
        (lambda: of_torch({"name": "SDG"}, "optimizer"), "'SGD'"),
        (lambda: metrics_of("math:pi"), "Name a function"),
    ]:
        with pytest.raises(InvalidInput, match=said):
            wrong()
