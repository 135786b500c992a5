"""The folder of a pilot says which pilot it is, so that another one does not go on in it."""

from __future__ import annotations

from pathlib import Path

from limbeck.core.errors import FileRefused
from limbeck.core.strict_json import plain, read_json, write_json
from limbeck.modules.fingerprint import fingerprint
from limbeck.networks.strategies.train_network import make
from limbeck.results.seeds import objective_record, training_record
from limbeck.selection.pilot import Pilot

__all__ = ["same_pilot"]

_FORMAT, _VERSION = "limbeck-pilot", 1


def same_pilot(path: Path, pilot: Pilot, seed: int) -> None:
    """Refuse a folder of another pilot; write what this one is.

    Parameters
    ----------
    path : Path
        Of the file that says so.
    pilot : Pilot
        The one that begins, or goes on.
    seed : int
        Its first seed.

    Raises
    ------
    FileRefused
        If the file is of another pilot; names what differs.
    """
    method = pilot.method
    own = plain({
        "objective": objective_record(method.objective),
        "training": training_record(pilot.settings),
        "filter": None if method.filter is None else repr(method.filter),
        "rows": method.rows.fingerprint(), "measured": pilot.measured.fingerprint(),
        "teacher": None if method.teacher is None else fingerprint(method.teacher),
        "student": fingerprint(make(method.makers[0], seed)),
        "larger": None if pilot.larger is None else fingerprint(make(pilot.larger.makers[0], seed)),
        "start": repr(method.start),
    })  # fmt: skip
    if path.is_file():
        before = read_json(path, _FORMAT, _VERSION)["pilot"]
        other = [name for name in own if before.get(name) != own[name]]
        if other:
            raise FileRefused(
                f"{str(path.parent)!r} holds a pilot with other {' and '.join(other)}.",
                "Give another folder, or the arguments that it was begun with.",
            )
        return
    write_json({"format": _FORMAT, "version": _VERSION, "pilot": own}, path)
