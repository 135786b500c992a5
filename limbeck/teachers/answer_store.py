"""Answers that were paid for, in one SQLite file that only grows."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from limbeck.core.errors import FileRefused

__all__ = ["AnswerStore", "default_store", "question_key"]

_VERSION = 1
_LOOK_UP = 500  # keys in one statement
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, teacher TEXT NOT NULL, answer TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    teacher TEXT NOT NULL, questions INTEGER NOT NULL, cost REAL NOT NULL,
    at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TRIGGER IF NOT EXISTS answers_stay BEFORE DELETE ON answers
    BEGIN SELECT RAISE(ABORT, 'answers are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS answers_hold BEFORE UPDATE ON answers
    BEGIN SELECT RAISE(ABORT, 'answers are never changed'); END;
"""


def default_store() -> Path:
    """Where answers lie unless a place is given.

    The file that the environment variable ``LIMBECK_ANSWERS`` names, or ``limbeck/answers.sqlite``
    in the user's folder for data (``XDG_DATA_HOME``, by default ``~/.local/share``); a cache
    might be emptied.
    """
    named = os.environ.get("LIMBECK_ANSWERS")
    if named:
        return Path(named).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "limbeck" / "answers.sqlite"


def question_key(asked: Any) -> bytes:
    """The key of a question: SHA-256 of its canonical JSON.

    Parameters
    ----------
    asked : JSON value
        All that may change the answer: model, revision, prompt, parameters, row, and which draw.

    Examples
    --------
    >>> question_key({"a": 1, "b": 2}) == question_key({"b": 2, "a": 1})
    True
    """
    text = json.dumps(
        asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class AnswerStore:
    """Answers by the key of their question; several processes may share the file.

    An answer is committed as soon as it is added, in SQLite's write-ahead log, which a killed
    process does not harm. The first answer to a question stays; rows of the table are neither
    changed nor deleted. Questions are kept as hashes only, answers as the service gave them.

    Parameters
    ----------
    path : path, optional
        The file, made where there is none; see `default_store`.

    Raises
    ------
    FileRefused
        If it cannot be opened or is no such store.

    Examples
    --------
    >>> import tempfile
    >>> store = AnswerStore(tempfile.mkdtemp() + "/answers.sqlite")
    >>> store.add("a model", [(question_key("who?"), {"label": "no"})])
    >>> store.get([question_key("who?")])[question_key("who?")]
    {'label': 'no'}
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = default_store() if path is None else Path(path)
        self._lock = threading.Lock()
        self._owner = 0
        self._connection: sqlite3.Connection | None = None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """The answers that are stored, by key.

        Parameters
        ----------
        keys : sequence of bytes
            As `question_key` makes them.
        """
        found: dict[bytes, Any] = {}
        with self._lock:
            connection = self._open()
            for start in range(0, len(keys), _LOOK_UP):
                some = keys[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                rows = connection.execute(
                    f"SELECT key, answer FROM answers WHERE key IN ({marks})",  # noqa: S608
                    list(some),
                )
                found.update((bytes(key), json.loads(answer)) for key, answer in rows)
        return found

    def add(self, teacher: str, answers: Iterable[tuple[bytes, Any]], cost: float = 0.0) -> None:
        """Keep the answers of one request at once.

        Parameters
        ----------
        teacher : str
            The name of the teacher, for people who look into the file.
        answers : iterable of (key, JSON value)
            The answers.
        cost : float
            What the request cost.
        """
        rows = [(key, teacher, json.dumps(answer, allow_nan=False)) for key, answer in answers]
        with self._lock:
            connection = self._open()
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO answers (key, teacher, answer) VALUES (?, ?, ?)", rows
                )
                connection.execute(
                    "INSERT INTO requests (teacher, questions, cost) VALUES (?, ?, ?)",
                    (teacher, len(rows), cost),
                )

    def spent(self, teacher: str) -> tuple[int, int, float]:
        """Requests, questions and cost so far of a teacher, over all runs that share the file.

        Parameters
        ----------
        teacher : str
            Its name, as given to `add`.
        """
        with self._lock:
            row = (
                self._open()
                .execute(
                    "SELECT COUNT(*), COALESCE(SUM(questions), 0), COALESCE(SUM(cost), 0.0)"
                    " FROM requests WHERE teacher = ?",
                    (teacher,),
                )
                .fetchone()
            )
        return int(row[0]), int(row[1]), float(row[2])

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def __len__(self) -> int:
        """Number of answers."""
        with self._lock:
            return int(self._open().execute("SELECT COUNT(*) FROM answers").fetchone()[0])

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None and self._owner == os.getpid():
            assert self._connection is not None  # noqa: S101
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        """The connection of this process; one that was inherited by a fork is not used."""
        if self._connection is not None and self._owner == os.getpid():
            return self._connection
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600, exist_ok=True)  # answers may be about private rows
            connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                connection.close()
                raise FileRefused(
                    f"{str(self.path)!r} is a store of version {version}.",
                    "Update limbeck, or give another file as store=...",
                )
            if version == 0:
                connection.executescript(_TABLES)
                connection.execute(f"PRAGMA user_version={_VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise FileRefused(
                f"{str(self.path)!r} cannot be used to store answers: {error}.",
                "Give another file as store=..., or in the environment variable LIMBECK_ANSWERS.",
            ) from None
        self._connection, self._owner = connection, os.getpid()
        return connection
