"""Signatures of certificates: who vouches for what no recomputing shows, by Ed25519 (RFC 8032)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from limbeck.core.errors import FileRefused, InvalidInput, MissingExtra

__all__ = [
    "KIND",
    "SCHEMA",
    "Signature",
    "is_encrypted",
    "key_text",
    "public_key_of",
    "sign",
    "signed_bytes",
]

KIND = "limbeck certificate"
SCHEMA = 2
_ALGORITHM = "Ed25519"
_MAKE_ONE = "openssl genpkey -algorithm ed25519 -out key.pem"
_PUBLIC = "openssl pkey -in key.pem -pubout -out pub.pem"
_LOCKED = b"ENCRYPTED"  # stands in the first line of such a file, or the third of an old one
_MOST = 65_536  # bytes of a key's file


@dataclass(frozen=True)
class Signature:
    """The signature of a certificate.

    Parameters
    ----------
    public_key : str
        The 32 bytes of the signer's public key, in hexadecimal.
    value : str
        The 64 bytes of the signature, in hexadecimal.
    algorithm : str
        Always ``Ed25519``.
    """

    public_key: str
    value: str
    algorithm: Literal["Ed25519"] = "Ed25519"

    def fits(self, message: bytes) -> bool:
        """Whether the holder of the key has signed exactly these bytes.

        Parameters
        ----------
        message : bytes
            See `signed_bytes`.

        Raises
        ------
        MissingExtra
            If the package ``cryptography`` is not installed.
        """
        ed25519 = _ed25519()
        from cryptography.exceptions import InvalidSignature

        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.value), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def signed_bytes(certificate: Any) -> bytes:
    """The bytes that are signed: everything in a certificate's file but the signature itself.

    That is the JSON object with the keys ``kind``, ``schema`` and ``certificate`` in UTF-8, all
    keys sorted, without blanks, characters beyond ASCII as they are, and numbers in the shortest
    form that reads back as the same number (Python's ``json.dumps`` with ``sort_keys=True``,
    ``separators=(",", ":")`` and ``ensure_ascii=False``).

    Parameters
    ----------
    certificate : Certificate
        Its own signature is left out.

    Raises
    ------
    InvalidInput
        If it holds what JSON does not know.
    """
    fields = asdict(certificate)
    fields.pop("signature", None)
    record = {"kind": KIND, "schema": SCHEMA, "certificate": fields}
    try:
        read = json.loads(json.dumps(record, allow_nan=False))  # as a file gives it back
        text = json.dumps(
            read, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"The certificate cannot be written as JSON ({error}).", "Certify again."
        ) from None


def sign(message: bytes, key: Any, password: str | None = None) -> Signature:
    """Sign bytes with a private key.

    Parameters
    ----------
    message : bytes
        See `signed_bytes`.
    key : str, Path or Ed25519PrivateKey
        A PEM file, or a key that was read with ``cryptography``; see `private_key`.
    password : str, optional
        Of the file, if it is encrypted.

    Raises
    ------
    FileRefused, InvalidInput, MissingExtra
        As for `private_key`.
    """
    private = private_key(key, password)
    public = private.public_key().public_bytes_raw().hex()
    return Signature(public, private.sign(message).hex())


def private_key(key: Any, password: str | None = None) -> Any:
    """A private key, read and checked.

    Parameters
    ----------
    key : str, Path or Ed25519PrivateKey
        The PEM file of a private key, as ``openssl genpkey -algorithm ed25519`` writes it, or one
        that was read with ``cryptography``.
    password : str, optional
        Of the file, if it is encrypted.

    Raises
    ------
    FileRefused
        If the file cannot be read, or holds no private key.
    InvalidInput
        If it is encrypted and the password is lacking or wrong, or is no key of Ed25519.
    MissingExtra
        If the package ``cryptography`` is not installed.
    """
    ed25519 = _ed25519()
    private = _read_private(Path(key), password) if isinstance(key, str | Path) else key
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise InvalidInput(
            f"The key is a {type(private).__name__}, not an Ed25519 private key.",
            f"Make one: {_MAKE_ONE}.",
        )
    return private


def public_key_of(key: Any) -> str:
    """The 32 bytes of a public key, in hexadecimal.

    Parameters
    ----------
    key : str, Path or Ed25519PublicKey
        A PEM file, as ``openssl pkey -pubout`` writes it, or a key read with ``cryptography``.

    Raises
    ------
    FileRefused
        If the file cannot be read, or holds no Ed25519 public key.
    InvalidInput
        If it is something else.
    MissingExtra
        If the package ``cryptography`` is not installed.
    """
    ed25519 = _ed25519()
    public = key
    if isinstance(key, str | Path):
        public = _read_public(Path(key))
    if not isinstance(public, ed25519.Ed25519PublicKey):
        raise InvalidInput(
            f"The public key is a {type(public).__name__}, not an Ed25519 public key.",
            f"Make a file of it: {_PUBLIC}.",
        )
    return str(public.public_bytes_raw().hex())


def is_encrypted(key: Path) -> bool:
    """Whether the file of a private key needs a password.

    Parameters
    ----------
    key : Path
        A PEM file.
    """
    return _LOCKED in _read(key)


def key_text(public_key: str) -> str:
    """A public key as people compare it.

    Parameters
    ----------
    public_key : str
        In hexadecimal; shown whole, since parts of it can be made to match.
    """
    return f"{_ALGORITHM.lower()}:{public_key}"


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise MissingExtra(
            "Signatures need the package cryptography.", "pip install 'limbeck[sign]'."
        ) from None
    return ed25519


def _read_private(path: Path, password: str | None) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read(path)
    secret = None if password is None else password.encode()
    locked = _LOCKED in content
    if locked and not secret:
        raise InvalidInput(f"The key {str(path)!r} is encrypted.", "Give its password.")
    try:
        return load_pem_private_key(content, secret if locked else None)
    except (TypeError, ValueError, UnsupportedAlgorithm):  # their texts may quote the file
        if locked:
            raise InvalidInput(
                f"The key {str(path)!r} cannot be opened with this password.",
                "Give the password that it was encrypted with.",
            ) from None
        what = "a public key" if b"PUBLIC KEY" in content else "no private key in PEM form"
        raise FileRefused(
            f"{str(path)!r} holds {what}.", f"Give the private one, or make one: {_MAKE_ONE}."
        ) from None


def _read_public(path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    content = _read(path)
    try:
        return load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        what = "a private key" if b"PRIVATE KEY" in content else "no public key in PEM form"
        raise FileRefused(f"{str(path)!r} holds {what}.", f"Give the public one: {_PUBLIC}.") from (
            None
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST)
    except OSError as error:
        raise FileRefused(
            f"{str(path)!r} cannot be read: {error.strerror}.", "Check the path."
        ) from None
