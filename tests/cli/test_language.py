from __future__ import annotations

import pytest

pytest.importorskip("transformers")

from limbeck.cli.language import distill_text
from limbeck.core.errors import InvalidInput, LimbeckError


def test_an_objective_that_is_not_there_is_refused_before_any_work(tmp_path) -> None:
    out = tmp_path / "run"
    with pytest.raises(InvalidInput, match=r"no objective 'TokenKd'.*Did you mean 'TokenKD'"):
        distill_text("hf:none", None, "hf:none", out, "TokenKd", epochs=None)
    assert not out.exists()


def test_settings_that_were_not_given_are_not_passed_on(tmp_path) -> None:
    rows = tmp_path / "prompts.jsonl"
    with pytest.raises(InvalidInput, match="no setting 'budgett'"):
        distill_text("hf:none", rows, "hf:none", tmp_path, None, budgett=3)
    with pytest.raises(LimbeckError, match=r"prompts\.jsonl"):
        distill_text("hf:none", rows, "hf:none", tmp_path, None, budgett=None)
