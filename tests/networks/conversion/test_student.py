from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.core.strict_json import write_json  # noqa: E402
from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.student import HybridModel  # noqa: E402

HYBRID = Hybrid([1])
IDS = torch.tensor([[1, 2, 3, 4]])


@pytest.fixture
def model(make_decoder, tokenizer):
    return HybridModel(convert(make_decoder("llama", 2), {1}, HYBRID), tokenizer, HYBRID, (1,))


@torch.no_grad()
def test_it_is_opened_as_it_was_saved(model, tmp_path):
    again = HybridModel.load(model.save(tmp_path / "student"))
    assert torch.equal(again(IDS), model(IDS))
    assert (again.kept, again.converted, again.fingerprint()) == ((1,), (0,), model.fingerprint())
    assert not list(tmp_path.rglob("*.bin"))


@torch.no_grad()
def test_a_copy_has_weights_of_its_own(model):
    own, before = model.copy(), model(IDS)
    for p in own.parameters():
        p.zero_()
    assert torch.equal(model(IDS), before)
    assert not own(IDS).any()


def test_texts_of_unequal_length_go_on_as_each_alone(model):
    more = {"max_new_tokens": 4, "do_sample": False}
    texts = ["the cat", "dog sees the old bird"]
    both = model.generate(texts, **more)
    assert both == [model.generate(t, **more) for t in texts]
    tokens = model.generate(torch.tensor([[1, 3]]), **more)
    assert model.tokenizer.decode(tokens[0, 2:]) == both[0]


def test_prompts_that_are_empty_or_texts_without_a_tokenizer_are_refused(model):
    for prompts in ("", [], ["the", ""]):
        with pytest.raises(InvalidInput, match="A prompt is empty"):
            model.generate(prompts)
    model.tokenizer = None
    with pytest.raises(InvalidInput, match="There is no tokenizer"):
        model.generate("the cat")


def test_damaged_folders_are_refused(model, tmp_path):
    folder = model.save(tmp_path / "student")
    path = folder / "hybrid.json"
    good = path.read_text()
    for change in ({"kept": [7]}, {"mixer": "x"}, {"version": 9}, {"options": {"windw": 3}}):
        path.write_text(json.dumps(json.loads(good) | change))
        with pytest.raises(FileRefused):
            HybridModel.load(folder)
    write_json(json.loads(good) | {"kept": []}, path)  # other weights than are there
    with pytest.raises(FileRefused, match="does not fit"):
        HybridModel.load(folder)
    path.write_text(good)
    config = folder / "base" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"auto_map": {"x": "y"}}))
    with pytest.raises(FileRefused, match="auto_map"):
        HybridModel.load(folder)
