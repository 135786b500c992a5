from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from limbeck.certificates.certify import certify
from limbeck.certificates.vouching import Vouching, vouching
from limbeck.core.certificate import Certificate

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
KEYS = [ed25519.Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2)]
OWN, OTHER = (key.public_key() for key in KEYS)


@pytest.fixture
def bare(threshold: Any) -> Certificate:
    rows = [[float(i), 0.0, 0.0] for i in range(60)]
    return certify(threshold(), rows, ["yes"] * 60)


def test_nobody_vouches_for_what_is_not_signed(bare: Certificate) -> None:
    assert vouching(bare) == Vouching()
    assert "is not signed; a signature by" in vouching(bare, OWN).fault


def test_the_key_that_was_given_must_have_signed(bare: Certificate) -> None:
    signed = bare.sign(KEYS[0])
    own = OWN.public_bytes_raw().hex()
    asked, alone = vouching(signed, OWN), vouching(signed)
    assert (asked.public_key, asked.fault, asked.unchecked) == (own, "", "")
    assert "its holder vouches" in asked.note
    assert alone.public_key == own
    assert "no public key was given" in alone.unchecked
    wrong = vouching(signed, OTHER)
    assert wrong.public_key == ""
    assert "with another key" in wrong.fault


def test_an_altered_certificate_is_found_out(bare: Certificate) -> None:
    altered = replace(bare.sign(KEYS[0]), epsilon=0.001)
    for key in (None, OWN):
        assert "altered after it was signed" in vouching(altered, key).fault
        assert vouching(altered, key).public_key == ""
