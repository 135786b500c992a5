"""A last linear layer is left out only where outputs are that layer's and nothing more."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from limbeck.modules.batch import View  # noqa: E402
from limbeck.modules.linear_head import left_out, linear_head  # noqa: E402
from limbeck.modules.outputs import OutputReader, read_by  # noqa: E402
from limbeck.modules.runner import watched  # noqa: E402

SIZES = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 1}  # fmt: skip
V = 1_100


def model(kind: str = "Llama", **more):
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{"vocab_size": V, **SIZES, **more})
    return getattr(transformers, f"{kind}ForCausalLM")(config)


IDS = {"input_ids": torch.tensor([[5, 6, 7]]), "attention_mask": torch.ones(1, 3).long()}


@pytest.mark.parametrize(
    ("kind", "more"),
    [("Llama", {}), ("Llama", {"tie_word_embeddings": True}), ("Granite", {"logits_scaling": 4.0})],
)
def test_states_and_head_make_the_logits(kind, more):
    module = model(kind, **more)
    head = linear_head(module)
    assert head is module.lm_head
    assert module.training
    with watched(module, (), "The student", head=head) as network:
        view = network(IDS)
    assert view.logits.shape == (1, 3, 8)
    assert view.shape == (1, 3, V)
    expected = module(**IDS).logits
    torch.testing.assert_close(torch.nn.functional.linear(view.logits, *view.head), expected)
    assert "forward" not in vars(head)  # the model computes its logits as before


def test_a_cut_vocabulary_cuts_the_head():
    module = read_by(model(), OutputReader(first=1_090))
    with watched(module, (), "The student", head=linear_head(module)) as network:
        assert network(IDS).shape == (1, 3, 1_090)


def test_the_layer_is_put_back_after_an_error():
    module = model()
    with pytest.raises(RuntimeError), left_out(module.lm_head):
        raise RuntimeError
    assert module(**IDS).logits.shape[-1] == V


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(lambda: model(vocab_size=1_000), id="few outputs"),
        pytest.param(
            lambda: model("Gemma2", head_dim=4, final_logit_softcapping=30.0), id="capped"
        ),
        pytest.param(lambda: torch.nn.Linear(8, V), id="no language model"),
        pytest.param(lambda: read_by(model(), OutputReader(scale="softmax")), id="read otherwise"),
    ],
)
def test_other_outputs_stay_whole(module):
    assert linear_head(module()) is None


def test_a_layer_that_is_watched_stays():
    module = model()
    module.lm_head.register_forward_hook(lambda *_: None)
    assert linear_head(module) is None


def test_a_view_without_a_head_has_the_shape_of_its_outputs():
    assert View(torch.zeros(2, 3)).shape == (2, 3)
