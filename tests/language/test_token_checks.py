from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.language.models import LanguageModel  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402
from limbeck.language.token_checks import guessing, token_ids, vocabulary  # noqa: E402


def test_a_model_behind_even_guessing_is_said():
    even = -math.log(100)
    texts = {"teacher": np.full(4, even), "student": even - 0.6 + np.array([0.01, -0.01] * 2)}
    found = guessing(texts, 100)
    assert found.state == "warning"
    assert f"The student gives texts {even - 0.6:.2f} nats a token" in found.message
    unsure = {"student": even - 0.6 + np.array([2.0, -2.0])}  # two texts tell nothing of the mean
    assert guessing(unsure, 100).state == "ok"
    assert guessing({"student": np.full(4, even - 0.4)}, 100).state == "ok"


def test_texts_that_are_cut_differently_are_shown_at_the_first_token(pair, make_tokenizer):
    teacher = pair[0]
    few = encode(read_rows([{"prompt": "abz", "completion": "c"}]), teacher, 4)
    assert token_ids(teacher, pair[1], few).state == "ok"
    other = LanguageModel(pair[1].module, make_tokenizer("abyxz"), "other")
    found = token_ids(teacher, other, few)
    assert found.state == "refused"
    assert found.message.endswith(
        "'abz' is ... 4 28 for the teacher and ... 4 7 for the student, from token 2 on."
    )


def test_outputs_that_are_no_tokens_are_counted(make_llama, make_tokenizer):
    def model(outputs, seed=0):
        return LanguageModel(make_llama(8, 1, seed, outputs), make_tokenizer(), "m")

    few = encode(read_rows(["abc"]), model(34), 4, prompt_tokens=1)
    assert vocabulary(model(34), model(34, 1), few).message == "Every output is a token."
    refused = vocabulary(model(40), model(34), few)
    assert (refused.state, "40 outputs and the student 34" in refused.message) == ("refused", True)
    stray = model(40)
    with torch.no_grad():
        stray.module.lm_head.weight.zero_()  # all outputs alike
    found = vocabulary(stray, model(40, 1), few)
    assert found.state == "warning"
    assert found.message.startswith("The teacher gives 15.0% of its probability to the 6 outputs")
