"""Shared boundaries are those of the bytes: numerals, characters of several bytes, ends of text."""

import pytest

pytest.importorskip("torch")

from limbeck.language.cross_tokenizer.alignment import align
from limbeck.language.token_bytes import TokenBytes


@pytest.fixture(scope="module")
def both(make_bpe):
    """Bytes, and subwords with numerals as one token."""
    return TokenBytes(make_bpe(257)), TokenBytes(make_bpe(320))


def chunks(found, student, teacher):
    """The bytes of each chunk, by both models' tokens, which must agree."""
    out = []
    for c in range(found.chunks):
        mine, theirs = (
            table.joined(ids[bound[c] + 1 : bound[c + 1] + 1])
            for table, ids, bound in (
                (student, found.student_ids, found.student),
                (teacher, found.teacher_ids, found.teacher),
            )
        )
        assert mine == theirs
        out.append(mine)
    return out


@pytest.mark.parametrize("turned", [False, True])
def test_numerals_that_are_cut_differently_are_one_chunk(both, turned):
    student, teacher = both[::-1] if turned else both
    prompt, text = student.encoded("the cost"), student.continued(" was 1234 in café.")
    found = align(student, teacher, prompt, text, (), None)
    parts = chunks(found, student, teacher)
    assert b"".join(parts) == " was 1234 in café.".encode()
    assert any(p.endswith(b"1234") for p in parts)  # one token of the one, five of the other
    sizes = [len(student.continued(" 1234")), len(teacher.continued(" 1234"))]
    assert sorted(sizes) == [1, 5]


def test_ends_of_text_are_a_chunk(both):
    student, teacher = both
    end = student.tokenizer.eos_token_id
    text = [*student.continued(" was"), end]
    found = align(student, teacher, student.encoded("the"), text, (end,), 0)
    assert found.teacher_ids[-1] == 0
    assert found.student[-1] == len(found.student_ids) - 1
    assert chunks(found, student, teacher)[-1] == b""
    without = align(student, teacher, student.encoded("the"), text, (end,), None)
    assert without.chunks == found.chunks - 1


def test_a_token_across_the_end_of_the_prompt_loses_no_more_than_itself(both):
    student, teacher = both
    prompt, text = student.encoded("the co"), student.continued("st was 1234")
    parts = chunks(align(student, teacher, prompt, text, (), None), student, teacher)
    assert b"".join(parts).endswith(b" was 1234")
    alone = align(student, teacher, student.encoded("the cos"), student.continued("t"), (), None)
    assert chunks(alone, student, teacher) == [b"t"]  # tokenized apart, as nothing else is left


def test_bytes_that_are_no_text_are_read_as_decoders_write_them(both):
    student, teacher = both
    ids = [student.table.index(bytes([b])) for b in (0xC3, 0x41, 0xFF, 0x42)]
    found = align(student, teacher, student.encoded("a"), ids, (), None)
    assert teacher.text(found.teacher_ids) == "a�A�B".encode()
    assert found.student[-1] == len(found.student_ids) - 1


def test_what_the_teacher_has_no_tokens_for_is_left_out(both, make_tokenizer):
    student, teacher = both[0], TokenBytes(make_tokenizer())
    found = align(student, teacher, student.encoded("ab"), student.continued("cd7ef"), (), None)
    assert found.cut_off
    assert chunks(found, student, teacher) == [b"c", b"d"]


def test_no_blank_is_invented(pieces, both):
    student, teacher = TokenBytes(pieces), both[1]
    found = align(student, teacher, student.encoded("a cost"), student.continued(" 1234"), (), None)
    assert b"".join(chunks(found, student, teacher)) == b" 1234"
