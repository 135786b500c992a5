from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from limbeck.networks.conversion.convert import convert  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.onnx_step import OnnxSteps, export_step  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "mixer"),
    [
        ("llama", "gated_recurrence"),
        ("llama", "linear_attention"),
        ("qwen3", "gated_delta"),
        ("gpt2", "gated_recurrence"),
    ],
)
@pytest.mark.parametrize("kept", [(1,), ()])
def test_a_step_with_its_state_equals_the_model_over_256_steps(
    make_decoder, tmp_path, family, mixer, kept
):
    options = {"window": 8} if mixer == "linear_attention" else {}
    model = convert(make_decoder(family, 2), kept, Hybrid(kept or 0.0, mixer, options=options))
    found = export_step(model, tmp_path / "step.onnx", steps=256)
    assert found.difference < 1e-4
    graph = OnnxSteps(tmp_path / "step.onnx", batch=3)  # any number of texts side by side
    tokens = torch.randint(20, (3, 40))
    sizes = {n: s.shape for n, s in graph.states.items()}
    with torch.no_grad():
        expected = model(input_ids=tokens, use_cache=False).logits
    for t in range(40):
        logits = torch.from_numpy(graph.read(tokens[:, t].numpy()))
        torch.testing.assert_close(logits, expected[:, t], atol=1e-4, rtol=1e-4)
    grown = {n for n, s in graph.states.items() if s.shape != sizes[n]}
    assert grown == {f"layer_{i}_{kind}" for i in kept for kind in ("keys", "values")}
