from __future__ import annotations

import pytest

from limbeck.certificates.certificate_file import load
from limbeck.core.signatures import public_key_of
from tests.cli.conftest import limbeck, plain

serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")


@pytest.fixture
def keys(here):
    key, told = ed25519.Ed25519PrivateKey.generate(), serialization
    (here / "key.pem").write_bytes(
        key.private_bytes(told.Encoding.PEM, told.PrivateFormat.PKCS8, told.NoEncryption())
    )
    (here / "pub.pem").write_bytes(
        key.public_key().public_bytes(told.Encoding.PEM, told.PublicFormat.SubjectPublicKeyInfo)
    )
    return here


def test_a_certificate_is_signed_where_it_lies_or_in_a_copy(keys, run) -> None:
    path = run / "certificate.json"
    unsigned = path.read_bytes()
    done = limbeck("sign", "run/certificate.json", "--key", "key.pem", "--out", "signed.json")
    assert done.exit_code == 0, done.output
    assert "Written to signed.json" in plain(done.output)
    assert path.read_bytes() == unsigned
    assert load(keys / "signed.json").signature.public_key == public_key_of(keys / "pub.pem")
    assert limbeck("sign", "run/certificate.json", "--key", "key.pem").exit_code == 0
    assert path.read_bytes() == (keys / "signed.json").read_bytes()
    assert limbeck("verify", "run", "--public-key", "pub.pem").exit_code == 0


def test_what_is_no_private_key_signs_nothing(keys, run) -> None:
    unsigned = (run / "certificate.json").read_bytes()
    for name in ("pub.pem", "none.pem", "rows.parquet"):
        refused = limbeck("sign", "run/certificate.json", "--key", name)
        assert refused.exit_code == 2
        assert name in plain(refused.output)
    assert (run / "certificate.json").read_bytes() == unsigned
