"""Who vouches for a certificate: what its signature says, and what it leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limbeck.core.certificate import Certificate
from limbeck.core.errors import MissingExtra
from limbeck.core.signatures import key_text, public_key_of, signed_bytes

__all__ = ["Vouching", "vouching"]


@dataclass(frozen=True)
class Vouching:
    """What the signature of a certificate says.

    Parameters
    ----------
    public_key : str
        The key, in hexadecimal, whose holder signed exactly this certificate; empty where nobody
        is known to have.
    fault : str
        Why the certificate must not be taken for signed, or empty.
    note : str
        Who signed it, or empty.
    unchecked : str
        What was not checked, or empty.
    """

    public_key: str = ""
    fault: str = ""
    note: str = ""
    unchecked: str = ""


def vouching(certificate: Certificate, public_key: Any = None) -> Vouching:
    """Check the signature of a certificate.

    Parameters
    ----------
    certificate : Certificate
        As it stands in its file.
    public_key : str, Path or Ed25519PublicKey, optional
        The key that must have signed it. Without one a signature is checked against the key that
        the certificate itself names, which anybody can make.

    Raises
    ------
    FileRefused, InvalidInput, MissingExtra
        If the public key cannot be read; see `limbeck.core.signatures.public_key_of`.
    """
    wanted = None if public_key is None else public_key_of(public_key)
    signature = certificate.signature
    if signature is None:
        if wanted is None:
            return Vouching()
        return Vouching(
            fault=f"The certificate is not signed; a signature by {key_text(wanted)} was asked for."
        )
    own = key_text(signature.public_key)
    if wanted is not None and wanted != signature.public_key:
        return Vouching(
            fault=f"The certificate is signed with another key ({own}) than the one that was given"
            f" ({key_text(wanted)})."
        )
    try:
        fits = signature.fits(signed_bytes(certificate))
    except MissingExtra as error:
        return Vouching(
            unchecked=f"The signature, which names {own}: {error.problem} {error.remedy}"
        )
    if not fits:
        return Vouching(
            fault="The signature does not fit the certificate: it was altered after it was signed,"
            f" or was not signed with {own}."
        )
    if wanted is None:
        return Vouching(
            signature.public_key,
            note=f"Signed with {own}.",
            unchecked="Whose key that is: no public key was given to compare it with.",
        )
    return Vouching(
        signature.public_key, note=f"Signed with the key that was given ({own}): its holder vouches"
        " for the rows and the answers.",
    )  # fmt: skip
