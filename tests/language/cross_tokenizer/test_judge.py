import pytest

torch = pytest.importorskip("torch")

from limbeck.language.cross_tokenizer.bridge import Bridge  # noqa: E402
from limbeck.language.cross_tokenizer.judge import cross_scores  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402
from limbeck.modules import linear_head  # noqa: E402
from tests.language.cross_tokenizer.conftest import ROWS, token_by_token  # noqa: E402


def test_scores_do_not_depend_on_how_logits_are_made(bridge, monkeypatch):
    prompts = encode(read_rows(ROWS), bridge.student, 40)
    given = prompts.ids, [list(t) for t in prompts.completions]
    whole = cross_scores(bridge, bridge.student, *given, "other")
    monkeypatch.setattr(linear_head, "FEW_OUTPUTS", 1)
    again = Bridge(bridge.teacher, bridge.student)
    assert cross_scores(again, again.teacher, *given, "other").overlap.tolist() == [1.0, 1.0]
    found = cross_scores(again, again.student, *given, "other")
    for name in ("overlap", "forward_kl", "entropy", "student_log_q", "teacher_log_p"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-5), name


def test_scores_are_those_of_chunks(bridge):
    prompts = encode(read_rows(ROWS), bridge.student, 40)
    texts = [list(t) for t in prompts.completions]
    found = cross_scores(bridge, bridge.student, prompts.ids, texts, "student")
    one = bridge.aligned(prompts.ids[0], texts[0])
    ratios, gaps = [], []
    for c in range(one.chunks):
        p = token_by_token(
            bridge.teacher, one.teacher_ids, one.teacher[c] + 1, one.teacher[c + 1] + 1
        )
        q = token_by_token(
            bridge.student, one.student_ids, one.student[c] + 1, one.student[c + 1] + 1
        )
        ratios.append(min(1.0, torch.tensor(p - q).exp().item()))
        gaps.append(p - q)
    assert found.overlap[0] == pytest.approx(sum(ratios) / len(ratios), rel=1e-4)
    counted = one.student[-1] - one.student[0]
    assert found.forward_kl[0] == pytest.approx(sum(gaps) / counted, rel=1e-4)
    itself = cross_scores(bridge, bridge.teacher, prompts.ids, texts, "other")
    assert itself.overlap.tolist() == [1.0, 1.0]
