import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.cross_tokenizer.bridge import Bridge  # noqa: E402
from limbeck.language.generation import padded  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402
from tests.language.cross_tokenizer.conftest import ROWS, step_of  # noqa: E402


def test_gold_matches_tokens_of_the_same_bytes(bridge):
    ours, theirs = bridge.matched
    tables = bridge.ours.table, bridge.theirs.table
    assert all(tables[0][a] == tables[1][b] for a, b in zip(ours, theirs, strict=True))
    assert len(ours) == 257  # all bytes, and the end of text


def test_chunks_are_joined_where_no_new_word_begins(bridge):
    step, _ = step_of(bridge)
    sizes = [bridge.signal(step, least, False).chunks for least in (0.0, 0.02, 0.999)]
    assert sizes[0] > sizes[2] == 2  # first and last boundary of each text are kept
    assert sizes[0] >= sizes[1] >= sizes[2]
    theirs = bridge.signal(step, 0.999, False)
    assert int(theirs.student.sizes.sum()) == int(
        bridge.signal(step, 0.0, False).student.sizes.sum()
    )


def test_the_teacher_writes_in_the_students_tokens(bridge):
    from limbeck.language.generation import TokenSampling, generate

    prompts = encode(read_rows(["the cost", "in all"]), bridge.student, 12)
    found = bridge.written(prompts, TokenSampling(12), seed=3)
    asked = [bridge.theirs.encoded(t) for t in ("the cost", "in all")]
    for ids, tokens in zip(found, generate(bridge.teacher, asked, TokenSampling(12), seed=3),
                           strict=True):  # fmt: skip
        text = bridge.theirs.joined(tokens).decode(errors="replace").encode()
        assert len(ids) <= 12
        assert text.startswith(bridge.ours.joined(ids))


def test_padding_changes_nothing(bridge):
    step, _ = step_of(bridge)
    both = bridge.signal(step, 0.0, False).log_p
    texts = [bridge.aligned(*pair) for pair in zip(*_ids(bridge), strict=True)]
    ids, _ = padded([t.teacher_ids for t in texts], 0, left=False)
    alone = torch.cat([
        bridge.teacher.module(torch.tensor([t.teacher_ids])).logits[0].log_softmax(-1)[
            torch.arange(t.teacher[0], t.teacher[-1]),
            torch.tensor(t.teacher_ids)[t.teacher[0] + 1 : t.teacher[-1] + 1],
        ] for t in texts
    ])  # fmt: skip
    assert ids.shape[0] == 2
    assert torch.allclose(both, alone, atol=1e-4)


def _ids(bridge):
    prompts = encode(read_rows(ROWS), bridge.student, 40)
    return prompts.ids, prompts.completions


def test_outputs_beyond_the_tokens_are_cut_and_fewer_are_refused(make_bpe, make_model, make_llama):
    from limbeck.language.models import LanguageModel

    tokenizer = make_bpe(257)
    wide = LanguageModel(make_llama(16, 1, 0, 300, 0.3), tokenizer, "wide")
    student = make_model(make_bpe(290), "small", 1)
    bridge = Bridge(wide, student)
    with pytest.raises(InvalidInput, match="The teacher has 34 outputs for 257 tokens"):
        Bridge(LanguageModel(make_llama(), tokenizer, "narrow"), student)
    assert bridge.predicted([bridge.aligned([5], [6, 7])]).shape[-1] == 257
    assert not bridge.byte_student
    assert bridge.readable(tokenizer("the end")["input_ids"]) == "the end"
