"""``limbeck sign``: who vouches for a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from limbeck.cli.errors import plain_errors
from limbeck.cli.options import signing_key

__all__ = ["sign"]


def sign(
    certificate: Annotated[Path, typer.Argument(help="certificate.json")],
    key: Annotated[Path, typer.Option(help="A .pem file: an Ed25519 private key.")],
    out: Annotated[
        Path | None, typer.Option(help="Write it here; by default the file itself.")
    ] = None,
) -> None:
    """Sign a certificate: the holder of the key vouches for its rows and answers."""
    from limbeck.certificates.certificate_file import load, save
    from limbeck.core.signatures import key_text

    with plain_errors():
        signed = load(certificate).sign(signing_key(key))
        path = save(signed, certificate if out is None else out)
        console = Console()
        console.print(Text(signed.statement))
        assert signed.signature is not None  # noqa: S101
        console.print(Text(f"Signed with {key_text(signed.signature.public_key)}"), soft_wrap=True)
        console.print(Text(f"Written to {path}"))
