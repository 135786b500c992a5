from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.language.generation import TokenSampling
from limbeck.language.judge import TextJudge
from limbeck.language.prompt_rows import read_rows
from limbeck.language.prompts import encode

SAMPLING = TokenSampling(4, temperature=0.1, top_p=0.5)


def judge(pair, rows, **metrics):
    return TextJudge(pair[0], encode(read_rows(rows), pair[0], 4), SAMPLING, 0, metrics)


def test_the_teacher_overlaps_with_itself_and_metrics_see_text_and_reference(pair):
    rows = [{"prompt": "ab", "completion": "c"}, {"prompt": "d", "completion": "ef"}]
    seen = []

    def size(text, reference):
        seen.append((text, reference))
        return len(reference)

    made = judge(pair, rows, size=size)
    itself, other = made.judged(pair[0]), made.judged(pair[1])
    assert [r for _, r in seen[:2]] == ["c", "ef"]
    assert [t for t, _ in seen[2:]] == other.texts
    assert itself.ids == made.teachers_texts != other.ids
    scores = itself.scores()
    for name in ("own_overlap", "teacher_overlap", "real_overlap"):
        np.testing.assert_allclose(scores[name], 1.0, atol=1e-5)
        assert (other.scores()[name] < 0.999).all()
    assert scores["size"].tolist() == [1.0, 2.0]
    assert scores["length"].tolist() == [len(t) for t in itself.ids]
    assert (made.plain.temperature, made.plain.top_p) == (1.0, 1.0)  # the teacher's own texts


@pytest.mark.parametrize("value", [float("nan"), (1.0, 2.0)])
def test_a_metric_that_is_no_number_is_refused_and_real_texts_may_be_unknown(pair, value):
    assert "real_overlap" not in judge(pair, ["ab"]).judged(pair[0]).scores()
    with pytest.raises(InvalidInput, match="The metric 'odd' gave"):
        judge(pair, ["ab"], odd=lambda text, reference: value).judged(pair[0])
