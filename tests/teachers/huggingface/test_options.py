from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput
from limbeck.teachers.huggingface.options import (
    check_prompt,
    option_scores,
    prompts_of,
)
from limbeck.teachers.huggingface.tokenized import Tokenized


def test_only_the_field_of_a_prompt_is_changed():
    found = prompts_of(np.array(["{text} a", "b"], dtype=object), "{{x}} {text}. {0}")
    assert found.tolist() == ["{{x}} {text} a. {0}", "{{x}} b. {0}"]
    with pytest.raises(InvalidInput, match=r"has no \{text\}. Write \{text\} into it"):
        check_prompt("Is it good? {texts}")


def test_a_class_without_a_token_is_refused(tokenizer):
    tokens = Tokenized(tokenizer, 16, True, 2)
    with pytest.raises(InvalidInput, match="The class ' ' has no token"):
        option_scores(None, tokens, np.array(["a"], dtype=object), ["good", " "], False)
