from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from limbeck.certificates import certify, load, save, verify
from limbeck.certificates.certificate_file import read_stored
from limbeck.cli.app import app
from limbeck.core.certificate import Certificate
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.signatures import Signature, key_text, public_key_of, sign, signed_bytes
from limbeck.students import Tree

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")

ROWS = np.random.default_rng(0).normal(size=(80, 2))
ANSWERS = ROWS[:, 0] > 0
STUDENT = Tree(max_leaves=2).fit(ROWS, ANSWERS)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return certify(STUDENT, ROWS, ANSWERS, epsilon=0.2, groups=ROWS[:, 1] > 0)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files as OpenSSL writes them."""
    folder = tmp_path_factory.mktemp("keys")
    for name, more in (("key", []), ("locked", ["-aes256", "-pass", "pass:open sesame"])):
        make = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", f"{name}.pem", *more]
        subprocess.run(make, cwd=folder, check=True, capture_output=True)
    public = ["openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem"]
    subprocess.run(public, cwd=folder, check=True, capture_output=True)
    rsa = ["openssl", "genpkey", "-algorithm", "rsa", "-out", "rsa.pem"]
    subprocess.run(rsa, cwd=folder, check=True, capture_output=True)
    return folder


def test_a_signature_is_that_of_rfc_8032() -> None:
    """Section 7.1, TEST 2."""
    secret = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    value = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert sign(b"\x72", key) == Signature(public, value)
    assert Signature(public, value).fits(b"\x72")
    assert not Signature(public, value).fits(b"\x73")


def test_the_signed_bytes_are_those_of_the_file_without_its_signature(
    certificate: Certificate, keys: Path, tmp_path: Path
) -> None:
    path = save(certificate.sign(keys / "key.pem"), tmp_path / "certificate.json")
    record = json.loads(path.read_text())
    signature = record.pop("signature")
    message = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert message == signed_bytes(certificate) == signed_bytes(load(path))
    (tmp_path / "message").write_bytes(message)
    (tmp_path / "value").write_bytes(bytes.fromhex(signature["value"]))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", keys / "pub.pem", "-rawin", "-in",
             tmp_path / "message", "-sigfile", tmp_path / "value"]  # fmt: skip
    assert subprocess.run(check, check=False, capture_output=True).returncode == 0


def test_signing_keeps_the_certificate_and_verify_says_who_vouches(
    certificate: Certificate, keys: Path, tmp_path: Path
) -> None:
    path = save(certificate.sign(keys / "key.pem"), tmp_path / "certificate.json")
    assert replace(load(path), signature=None) == certificate
    groups = ROWS[:, 1] > 0
    found = verify(path, STUDENT, ROWS, ANSWERS, groups=groups, public_key=keys / "pub.pem")
    public = public_key_of(keys / "pub.pem")
    assert found.ok
    assert found.signed_by == public
    assert f"given ({key_text(public)}): its holder vouches" in str(found)
    unasked = verify(path, STUDENT, ROWS, ANSWERS, groups=groups)
    assert unasked.ok
    assert unasked.signed_by == public
    assert "Whose key that is" in unasked.unchecked[-1]


def test_unsigned_otherwise_signed_and_altered_are_not_verified(
    certificate: Certificate, keys: Path
) -> None:
    groups = ROWS[:, 1] > 0

    def said(given: Certificate, key: Any) -> str:
        found = verify(given, STUDENT, ROWS, ANSWERS, groups=groups, public_key=key)
        assert not found.ok
        assert not found.signed_by
        assert [d.field for d in found.differences][-1] == "signature"
        return str(found)

    signed = certificate.sign(keys / "key.pem")
    other = ed25519.Ed25519PrivateKey.generate()
    assert "is not signed" in said(certificate, keys / "pub.pem")
    assert "was asked for" in said(certificate, keys / "pub.pem")
    assert "signed with another key" in said(signed, other.public_key())
    assert "altered after it was signed" in said(replace(signed, n=81), keys / "pub.pem")
    assert "altered after it was signed" in said(replace(signed, n=81), None)
    forged = Signature(public_key_of(keys / "pub.pem"), sign(signed_bytes(signed), other).value)
    assert "altered after" in said(replace(signed, signature=forged), keys / "pub.pem")


def test_every_field_is_signed(certificate: Certificate, keys: Path) -> None:
    signed = certificate.sign(keys / "key.pem")

    def leaves(value: Any, path: tuple[Any, ...] = ()) -> Any:
        pairs = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list | tuple)
            else None
        )
        if pairs is None:
            yield path
        else:
            for key, inner in pairs:
                yield from leaves(inner, (*path, key))

    fields = asdict(certificate)
    del fields["signature"]
    assert signed.signature is not None
    message, seen = signed_bytes(certificate), {path[0] for path in leaves(fields)}
    assert seen == fields.keys()
    for path in leaves(fields):
        data = json.loads(json.dumps(fields))
        holder = data
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = "other"
        changed = json.dumps(
            {"kind": "limbeck certificate", "schema": 2, "certificate": data},
            sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        ).encode()  # fmt: skip
        assert changed != message
        assert not signed.signature.fits(changed)


@pytest.mark.parametrize(
    ("name", "error", "match"),
    [
        ("pub.pem", FileRefused, "holds a public key"),
        ("rsa.pem", InvalidInput, "RSAPrivateKey, not an Ed25519"),
        ("locked.pem", InvalidInput, "is encrypted"),
        ("none.pem", FileRefused, "cannot be read"),
    ],
)
def test_what_is_no_private_key_is_refused(
    certificate: Certificate, keys: Path, name: str, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        certificate.sign(keys / name)


def test_encrypted_keys_need_their_password(certificate: Certificate, keys: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened") as caught:
        certificate.sign(keys / "locked.pem", "sesame")
    assert "sesame" not in str(caught.value)
    signed = certificate.sign(keys / "locked.pem", "open sesame")
    assert signed.signature is not None
    assert signed.signature.fits(signed_bytes(certificate))


def test_what_is_no_public_key_is_refused_without_quoting_it(
    certificate: Certificate, keys: Path, tmp_path: Path
) -> None:
    secret = (keys / "key.pem").read_text().splitlines()[1]
    with pytest.raises(FileRefused, match="holds a private key") as caught:
        public_key_of(keys / "key.pem")
    assert secret not in str(caught.value)
    (tmp_path / "bad.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{secret}\n")
    with pytest.raises(FileRefused, match="no public key") as caught:
        public_key_of(tmp_path / "bad.pem")
    assert secret not in str(caught.value)


def test_malformed_signatures_are_refused(
    certificate: Certificate, keys: Path, tmp_path: Path
) -> None:
    path = save(certificate.sign(keys / "key.pem"), tmp_path / "certificate.json")
    record = json.loads(path.read_text())
    for name, value in (("public_key", "AB"), ("value", "é" * 128), ("algorithm", "none")):
        damaged = {**record, "signature": {**record["signature"], name: value}}
        path.write_text(json.dumps(damaged))
        with pytest.raises(FileRefused):
            read_stored(path)
    inside = {**record["certificate"], "signature": record["signature"]}
    path.write_text(json.dumps({**record, "certificate": inside}))
    with pytest.raises(FileRefused, match="'signature' is no field"):
        read_stored(path)


def test_the_shell_signs_and_verifies(certificate: Certificate, keys: Path, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(ROWS, columns=["x0", "x1"]).assign(teacher_label=ANSWERS)
    rows, student = tmp_path / "rows.csv", tmp_path / "student.json"
    frame.to_csv(rows, index=False)
    Tree(max_leaves=2).fit(frame[["x0", "x1"]], ANSWERS).save(student)
    run, path = CliRunner().invoke, str(tmp_path / "certificate.json")
    given = ["--student", str(student), "--rows", str(rows)]
    made = run(app, ["certify", *given, "--out", path, "--key", str(keys / "key.pem")])
    assert made.exit_code == 0, made.output
    public = ["--public-key", str(keys / "pub.pem")]
    assert run(app, ["verify", path, *given, *public]).exit_code == 0
    assert run(app, ["certify", *given, "--key", str(keys / "key.pem")]).exit_code == 2
    locked = run(app, ["sign", path, "--key", str(keys / "locked.pem")])
    assert locked.exit_code == 2
    again = str(tmp_path / "again.json")
    save(load(path), tmp_path / "unsigned.json")
    assert run(app, ["sign", path, "--key", str(keys / "key.pem"), "--out", again]).exit_code == 0
    assert Path(again).read_bytes() == Path(path).read_bytes()
    save(replace(load(path), signature=None), tmp_path / "unsigned.json")
    assert run(app, ["verify", str(tmp_path / "unsigned.json"), *given, *public]).exit_code == 1
