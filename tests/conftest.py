"""What several folders of tests share."""

from __future__ import annotations

import copy
import functools
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.doctest import DoctestModule

_EXPORTER = "torch.onnx._internal.exporter._registration"
_TRACER = "torch._export.utils"
_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def pytest_collection() -> None:
    """Nearly all that is imported and collected stays: the garbage collector waits until then."""
    gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Iterator[list]:
    """Examples are in limbeck: no test file is searched for them."""
    found = yield
    return [collected for collected in found if not isinstance(collected, DoctestModule)]


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not look there again."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # cycles are few beside what tests make and drop


def pytest_runtest_setup() -> None:
    """Torch lists all its operators anew for each export, half of its time: here once."""
    _list_onnx_operators_once()
    _list_composite_operators_once()
    _build_commands_once()


def _build_commands_once() -> None:
    """Typer reads the arguments of all commands anew for each call of one, most of its time."""
    testing = sys.modules.get("typer.testing")
    if testing is not None and not hasattr(testing._get_command, "cache_info"):
        testing._get_command = functools.cache(testing._get_command)


def _list_onnx_operators_once() -> None:
    registry = getattr(sys.modules.get(_EXPORTER), "ONNXRegistry", None)
    own = getattr(registry, "from_torchlib", None)
    if own is None or hasattr(own, "cache_info"):
        return
    listed = functools.lru_cache(own)

    @functools.wraps(listed)
    def once(*opset, **named):
        made = copy.copy(listed(*opset, **named))
        made.functions = {name: list(ways) for name, ways in made.functions.items()}
        return made

    once.cache_info = listed.cache_info
    registry.from_torchlib = staticmethod(once)


def _list_composite_operators_once() -> None:
    module = sys.modules.get(_TRACER)
    own = getattr(module, "_materialize_cpp_cia_ops", None)
    if own is None or hasattr(own, "known"):
        return
    from torch import _C

    @functools.wraps(own)
    def once() -> None:
        if once.modules == len(sys.modules):  # operators come with modules
            return
        found = _C._dispatch_get_registrations_for_dispatch_key("CompositeImplicitAutograd")
        if found != once.known:  # an operator was added
            own()
            once.known = found
        once.modules = len(sys.modules)

    once.known = once.modules = None
    module._materialize_cpp_cia_ops = once


@pytest.fixture(scope="module", autouse=True)
def brief_linear_models():
    """The linear model beside a network takes 500 updates at least, most of a run of few rows.

    Files whose tests need a good one define a fixture of this name that does nothing.
    """
    if "torch" not in sys.modules:
        yield
        return
    from limbeck.networks.strategies import train_network

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_network, "_UPDATES", 20)
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets: LIMBECK_DATA, or shared/data beside the checkout.

    Without either the test is skipped with a reason; a LIMBECK_DATA that leads nowhere fails.
    """
    named = os.environ.get("LIMBECK_DATA")
    folder = Path(named) if named else _BESIDE
    if not (folder / "tabular").is_dir():
        if named:
            pytest.fail(f"LIMBECK_DATA is {named!r}, and there is no folder tabular in it.")
        pytest.skip("no real data: set LIMBECK_DATA to the folder that holds tabular/")
    return folder


@pytest.fixture(scope="session")
def language_models():
    """Writes a tiny teacher and a tiny student of one tokenizer; returns their names."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")

    def make(folder: Path) -> tuple[str, str]:
        characters = ["<pad>", "<eos>", "<unk>", *"abcdefghijklmnopqrstuvwxyz .,!?"]
        inner = tokenizers.Tokenizer(
            tokenizers.models.WordLevel({c: i for i, c in enumerate(characters)}, "<unk>")
        )
        split = tokenizers.pre_tokenizers.Split(tokenizers.Regex("."), "isolated")
        inner.pre_tokenizer, inner.decoder = split, tokenizers.decoders.Fuse()
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>",
            clean_up_tokenization_spaces=False,
        )  # fmt: skip
        out = []
        for seed, (name, width, layers) in enumerate([("big", 24, 2), ("small", 16, 1)]):
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                model = transformers.LlamaForCausalLM(
                    transformers.LlamaConfig(
                        vocab_size=34, hidden_size=width, intermediate_size=2 * width,
                        num_hidden_layers=layers, num_attention_heads=2, num_key_value_heads=1,
                        max_position_embeddings=64, bos_token_id=None, eos_token_id=1,
                        pad_token_id=0, initializer_range=0.5,
                    )
                )  # fmt: skip
            model.save_pretrained(folder / name)
            tokenizer.save_pretrained(folder / name)
            out.append(f"hf:{folder / name}")
        return out[0], out[1]

    return make
