"""Damage to files: what disks, networks and attackers do to them."""

from __future__ import annotations

import json
import random
from typing import Any

__all__ = ["damaged"]

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**12, 0.5, -0.0, 1e300, "", "x", "../x", "\x1b[2J",
    "\u202e", [], {}, [[]], [0], {"x": 1},
)  # fmt: skip
_TEXTS = ("NaN", "-Infinity", "1e400", "1" + "0" * 400, '"\\ud800"', "[" * 5_000, "{", "\x00")


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The content with one damage, of bytes, or of JSON where it is that.

    Parameters
    ----------
    content : bytes
        A file.
    rng : random.Random
        Chooses the damage.
    """
    if content[:1] in b"{[" and rng.random() < 0.7:
        lines = content.splitlines(keepends=True)
        if len(lines) > 1 and lines[1][:1] in b"{[":  # one value a line
            at = rng.randrange(len(lines))
            return b"".join([*lines[:at], _json(lines[at], rng) + b"\n", *lines[at + 1 :]])
        return _json(content, rng)
    return rng.choice((_flipped, _cut, _repeated, _overwritten, _exchanged, _longer))(content, rng)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 8))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _repeated(content: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(content)) for _ in range(2))
    return content[:b] + content[a:]


def _overwritten(content: bytes, rng: random.Random) -> bytes:
    """A number of 4 or 8 bytes made huge, as sizes in headers are attacked."""
    at, width = rng.randrange(len(content)), rng.choice((4, 8))
    return content[:at] + rng.choice((b"\xff", b"\x7f", b"\x00")) * width + content[at + width :]


def _exchanged(content: bytes, rng: random.Random) -> bytes:
    """A digit made another, which text formats take for another number."""
    places = [i for i, c in enumerate(content) if chr(c).isdigit()]
    if not places:
        return _flipped(content, rng)
    at = rng.choice(places)
    return content[:at] + rng.choice((b"9", b"0", b"-", b"99999999999999")) + content[at + 1 :]


def _longer(content: bytes, rng: random.Random) -> bytes:
    return content + rng.randbytes(rng.choice((1, 100)))


def _json(content: bytes, rng: random.Random) -> bytes:
    """Another value, key or text at one place of the tree."""
    data = json.loads(content)
    holder, key = rng.choice(list(_places(data)) or [({"": data}, "")])
    way = rng.randrange(5)
    mark = "\u0001here"
    if way == 0:
        holder[key] = mark
        return json.dumps(data).replace(json.dumps(mark), rng.choice(_TEXTS)).encode()
    if way == 1 and isinstance(holder, dict):
        del holder[key]
    elif way == 2 and isinstance(holder, dict):
        holder[f"{key}x"] = holder[key]
    elif way == 3 and isinstance(holder, dict):
        value = json.dumps(holder[key])
        holder[key] = mark
        twice = f"{json.dumps(rng.choice(_VALUES))}, {json.dumps(key)}: {value}"
        return json.dumps(data).replace(json.dumps(mark), twice).encode()
    else:
        holder[key] = rng.choice(_VALUES)
    return json.dumps(data).encode()


def _places(data: Any) -> Any:
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        yield data, key
        if isinstance(value, dict | list):
            yield from _places(value)
