"""Which test runs which line, and its processor time: traced once, in one run of pytest.

Lines that a fixture runs count for every test that uses it. Helpers of test files that keep what
they made are run by one test only; so a mutant that the tests of its line let live is shown to the
other tests of their files as well.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest


class Tracer:
    """A plugin of pytest that notes lines of ``files`` by test."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.seconds: dict[str, float] = {}
        self.by: defaultdict[Any, set[tuple[str, int]]] = defaultdict(set)
        self.fixtures: dict[str, list[Any]] = {}
        self.current: Any = "import"

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        """Starts to trace; what is run while tests are imported belongs to no test."""
        sys.settrace(self._call)
        threading.settrace(self._call)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """One test with its setup."""
        self.current, began = item.nodeid, time.process_time()
        sys.settrace(self._call)  # a test may have ended the trace
        result = yield
        self.seconds[item.nodeid] = time.process_time() - began
        info = getattr(item, "_fixtureinfo", None)
        used = info.name2fixturedefs.values() if info else []
        self.fixtures[item.nodeid] = [id(d) for each in used for d in each]
        self.current = "import"
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """What a fixture runs belongs to the fixture."""
        before, self.current = self.current, id(fixturedef)
        result = yield
        self.current = before
        return result

    def lines(self) -> dict[str, list[tuple[str, int]]]:
        """Lines by test, those of its fixtures included."""
        found = {}
        for test, used in self.fixtures.items():
            found[test] = sorted(set().union(self.by[test], *(self.by[f] for f in used)))
        return found

    def _call(self, frame: Any, event: str, arg: Any) -> Any:
        file = frame.f_code.co_filename
        if file not in self.files:
            return None
        self.by[self.current].add((file, frame.f_lineno))
        return self._line

    def _line(self, frame: Any, event: str, arg: Any) -> Any:
        self.by[self.current].add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


class Chosen:
    """A plugin of pytest that runs the tests named, in that order."""

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: i for i, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leaves out what is not named."""
        items[:] = [item for item in items if item.nodeid in self.place]
        items.sort(key=lambda item: self.place[item.nodeid])
