"""Logits of a tiny teacher as vLLM writes them."""

import json

import pytest

TEXTS = ["hello there, you", "a b c d", "what is it?"]


K = 6


@pytest.fixture(scope="session")
def teacher(pair):
    return pair[0]


def log_probabilities(teacher, ids):
    import torch

    with torch.no_grad():
        return teacher.module(torch.tensor([ids])).logits[0].log_softmax(-1)


def tokens(teacher, text):
    return teacher.tokenizer(text)["input_ids"]


@pytest.fixture
def vllm(teacher, tmp_path):
    """JSON lines as vLLM's server answers, the actual token included whatever its rank."""
    lines = []
    for text in TEXTS:
        ids = tokens(teacher, text)
        places = [None]
        for place, log_p in enumerate(log_probabilities(teacher, ids)[:-1]):
            values, best = log_p.topk(K)
            known = dict(zip(best.tolist(), values.tolist(), strict=True))
            known[ids[place + 1]] = float(log_p[ids[place + 1]])
            places.append({str(i): {"logprob": v, "rank": 1, "decoded_token": "?"}
                           for i, v in known.items()})  # fmt: skip
        lines.append({"prompt_token_ids": ids, "choices": [{"prompt_logprobs": places}]})
    path = tmp_path / "vllm.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def imported(big, path, out, **settings):
    from limbeck.language import import_logits

    return import_logits(path, out, **{
        "written_by": "vllm", "tokenizer": big.tokenizer, "teacher": big.module, **settings
    })  # fmt: skip
