"""Tokens add up to the bytes of a text, whatever the tokenizer."""

import numpy as np
import pytest

pytest.importorskip("torch")
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.errors import InvalidInput
from limbeck.language.token_bytes import TokenBytes, repaired


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_byte_level_tokens_add_up_to_any_text(make_bpe_tokens, text):
    found = make_bpe_tokens.tokenizer(text)["input_ids"]
    if "<eos>" not in text:
        assert make_bpe_tokens.text(found) == text.encode()
        assert len(found) == 0 or make_bpe_tokens.ends(found)[-1] == len(text.encode())


@pytest.fixture(scope="module")
def make_bpe_tokens(make_bpe):
    return TokenBytes(make_bpe())


def test_a_blank_before_every_text_is_no_part_of_it(pieces):
    found = TokenBytes(pieces)
    assert found.lead == 1
    ids = found.encoded("cost é")
    assert found.text(ids) == "cost é".encode()
    assert found.ends(ids)[-1] == len("cost é".encode())
    assert found.joined(found.continued("cost")) == b"cost"  # goes on with no blank
    assert found.joined(found.continued(" cost")) == b" cost"


def test_a_tokenizer_that_changes_texts_is_refused(make_tokenizer):
    found = TokenBytes(make_tokenizer())
    assert found.text(found.encoded("a b, c")) == b"a b, c"
    assert found.known("ab7cd") == "ab"
    with pytest.raises(InvalidInput, match="do not add up"):
        found.encoded("A7")


def test_special_tokens_stand_for_no_bytes_and_ends_are_not_kept(make_bpe):
    found = TokenBytes(make_bpe())
    assert found.table[found.tokenizer.eos_token_id] == b""
    assert found.ends([*found.encoded("the"), found.tokenizer.eos_token_id])[-1] == 3


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=12))
def test_repaired_text_is_what_decoders_write_and_places_keep_their_order(raw):
    text, places = repaired(raw)
    assert text == raw.decode(errors="replace")
    good = places[places >= 0]
    assert places[-1] == len(text.encode())
    assert bool((np.diff(good) > 0).all())
    for at in np.flatnonzero(places >= 0):
        assert text.encode()[: places[at]].decode(errors="replace") == raw[:at].decode(
            errors="replace"
        )
