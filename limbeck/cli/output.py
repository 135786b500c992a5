"""Output that cannot be written, or not in the terminal's characters, ends in no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["plain_output"]


@contextmanager
def plain_output() -> Iterator[None]:
    r"""Characters that a terminal lacks are written out; a full disk is a sentence and status 2.

    ``LANG=C`` and ``PYTHONIOENCODING=ascii`` leave ASCII alone: é is then written as ``\xe9``.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    status: object = 0
    try:
        try:
            yield
        except SystemExit as end:
            status = end.code
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has enough, as in `limbeck students | head`
        _close_output()
        status = 1
    except OSError as error:
        if error.filename is not None:  # some file, not the output
            raise
        _close_output()
        with suppress(OSError):
            sys.stderr.write(
                f"The output cannot be written: {error.strerror or error}.\n"
                "Free some space, or send it elsewhere.\n"
            )
        status = 2
    sys.exit(status)  # type: ignore[arg-type]


def _close_output() -> None:
    """What is still to be written goes nowhere, so that Python does not fail at its end."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
