"""A real browser for the pages."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt

import limbeck
from limbeck.core.answers import answers
from limbeck.core.certificate import Certificate
from limbeck.core.contract import Access, MethodResult
from limbeck.core.measured import Measured
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.evaluation.comparison import Comparison, Difference, ModelResult
from limbeck.evaluation.model_facts import ModelFacts
from limbeck.methods.base import BaseMethod
from limbeck.results.distillation import Distillation
from limbeck.results.network import NetworkDistillation
from limbeck.students.tree.tree import Tree
from limbeck.students.wavelet.wavelet import WaveletStudent

Browsed = dict[int, tuple[int, list[str]]]

# A page in frames, since headless Chromium has no window below 500 px, and all widths at once. All
# folded parts are opened first: they must fit as well. A table or a drawn tree that has to be
# scrolled sideways is named.
_MEASURE = """
((page, widths) => {
  document.body.replaceChildren();
  return Promise.all(widths.map(width => new Promise(done => {
    const frame = document.createElement('iframe');
    frame.style = `border:0;width:${width}px;height:800px`;
    frame.onload = () => {
      const inner = frame.contentDocument;
      for (const part of inner.querySelectorAll('details')) part.open = true;
      const cut = [...inner.querySelectorAll('.scroll,.picture')]
        .filter(box => box.scrollWidth > box.clientWidth + 1)
        .map(box => box.getAttribute('aria-label'));
      done([frame.contentWindow.innerWidth, inner.documentElement.scrollWidth, cut]);
    };
    frame.srcdoc = page;
    document.body.append(frame);
  })));
})
"""
_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update",
    "--disable-software-rasterizer", "--window-size=1500,900", "--remote-debugging-pipe",
]  # fmt: skip


class Browser:
    """Chromium, asked over its debugging pipe (file descriptors 3 and 4) for measures of pages."""

    def __init__(self, program: str, folder: Path) -> None:
        theirs, self._asked = os.pipe()
        self._answers, ours = os.pipe()
        self._errors = folder / "errors.txt"
        start = f'exec "$@" 3</dev/fd/{theirs} 4>/dev/fd/{ours}'
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                ["sh", "-c", start, "sh", program, *_FLAGS,
                 f"--user-data-dir={folder / 'profile'}", "about:blank"],
                pass_fds=(theirs, ours), stdout=errors, stderr=errors,
            )  # fmt: skip
        os.close(theirs)
        os.close(ours)
        self._read, self._number = b"", 0
        window = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=window, flatten=True)[
            "sessionId"
        ]

    def measure(self, page: str, widths: Sequence[int]) -> Browsed:
        """By the width of a window: how wide a page is in it, and the labels of cut boxes."""
        call = f"{_MEASURE}({json.dumps(page)}, {json.dumps(list(widths))})"
        answer = self._ask(
            "Runtime.evaluate", self._session, expression=call, awaitPromise=True,
            returnByValue=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer
        found = {width: (content, cut) for width, content, cut in answer["result"]["value"]}
        assert sorted(found) == sorted(widths)
        return found

    def close(self) -> None:
        """Ends the browser and all its processes."""
        self._ask("Browser.close")
        self._process.wait(60)
        os.close(self._asked)
        os.close(self._answers)

    def _ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        left = json.dumps({**asked, "sessionId": session} if session else asked).encode() + b"\0"
        while left:
            left = left[os.write(self._asked, left) :]
        until = time.monotonic() + 60
        while True:
            message, ended, rest = self._read.partition(b"\0")
            if not ended:
                self._read += self._more(until)
                continue
            self._read = rest
            answer = json.loads(message)
            if answer.get("id") == self._number:  # all else are events
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _more(self, until: float) -> bytes:
        ready, _, _ = select.select([self._answers], [], [], max(until - time.monotonic(), 0))
        more = os.read(self._answers, 1 << 16) if ready else b""
        assert more, self._errors.read_text("utf-8", "replace")[-500:]
        return more


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all pages: its start takes ten times as long as a page."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("chromium is not installed")
    made = Browser(program, tmp_path_factory.mktemp("browser"))
    yield made
    made.close()


@pytest.fixture
def browsed(browser: Browser) -> Callable[[str, Sequence[int]], Browsed]:
    """By the width of a window: how wide a page is in it, and the labels of boxes that are cut."""
    return browser.measure


@pytest.fixture
def networks() -> Callable[..., NetworkDistillation]:
    """Makes the record of a distillation of networks, without training any."""

    def make(**changes: Any) -> NetworkDistillation:
        share = Measured(0.912, 0.881, 0.937)
        roles = ["teacher", "student", "control", "baseline"]
        names = ["ResNet50ForImageClassification", "<b>Small</b>", "<b>Small</b>", "linear model"]
        entries = tuple(
            ModelResult(role, name, "", share, share)
            for role, name in zip(roles, names, strict=True)
        )
        gain = Difference("accuracy on the labels", 0.031, 0.004, 0.058)
        shares = {"inherited": 0.05, "own": 0.03, "other": 0.01}
        classes = {
            name: {"places": 40, "accuracy": 0.9, "agreement": 0.8}
            for name in ("cat", "<i>dog</i>", "truck")
        }
        facts = {
            role: ModelFacts(
                23_500_000 // (i + 1), 94_000_000 // (i + 1), Measured(0.021, 0.011, 0.034),
                Measured(1234.5 / (i + 1), 1100.0 / (i + 1), 1400.0 / (i + 1)), 64, 2, 1 << 20,
                shares if role != "teacher" else {}, classes,
            )
            for i, role in enumerate(roles)
        }  # fmt: skip
        history = tuple(
            {"seed": seed, "role": role, "epoch": e, "step": 10 * e, "loss": 2.0 / (e + 1),
             "SoftTargets": 3.0 / (e + 1), "lr": 0.1, "score": 0.9 - 0.01 * (e - 60) ** 2}
            for seed in (0, 1) for role in ("student", "control") for e in range(100)
        )  # fmt: skip
        given: dict[str, Any] = {
            "student": None, "students": (), "controls": (), "certificate": None,
            "status": Status(StatusCode.COMPLETE, "All 2 trainings ran to their end."),
            "comparison": Comparison(entries, (gain,), 0.95), "facts": facts, "history": history,
            "notes": ("<u>Columns</u> left out.",), "artifacts": None,
            "settings": {"teacher": names[0], "student": names[1], "rows": 50_000,
                         "test_rows": 10_000, "seeds": [0, 1], "classifies": True,
                         "seconds": 12.0},
        }  # fmt: skip
        return NetworkDistillation(**{**given, **changes})

    return make


@dataclass(frozen=True)
class Searched(BaseMethod):
    """Wavelet students of a given filter, with the numbers of a search that was not made."""

    shape: tuple[int, ...]
    wavelet: str = "sym5"
    name: str = "adaptive wavelets"
    needs: Access = Access.QUERIES

    def distill(self, teacher: Any, rows: Any, rng: Any, progress: Any) -> MethodResult:
        student = self.learn(rows, answers(teacher.scores(rows.native()), teacher.task),
                             teacher.task, rng)  # fmt: skip
        bands, levels = student.bands, range(5)
        share = np.linspace(5, 1, len(bands))
        trace = {
            "start": {"wavelet": "db5", "low": list(pywt.Wavelet("db5").rec_lo)},
            "low": list(student.filters.low),
            "path": [
                {"trim": 0.1 * i, "sparsity": 1e-3, "loss": 1.0, "kept": 0.9 - 0.2 * i,
                 "score": 0.2 + 0.01 * i}
                for i in levels
            ],
            "chosen": 3,
            "importance": {
                "bands": [band.name for band in bands],
                "by_band": share.tolist(),
                "by_time": np.multiply.outer(share, np.ones(self.shape[-2:])).tolist()
                if len(self.shape) == 3
                else np.multiply.outer(share, np.arange(self.shape[-1])).tolist(),
            },
            "loss": 1.0,
            "success": True,
            "starts": 24,
        }  # fmt: skip
        return MethodResult(
            student, Status(StatusCode.COMPLETE, "All starts were run."), trace=trace
        )

    def learn(self, rows: Any, y: Any, task: Task, rng: Any) -> WaveletStudent:
        named = task.labels[y] if task.classifies else y
        student = WaveletStudent(self.wavelet, levels=2, shape=self.shape, largest=2, task=task)
        return student.fit(rows, named)


def distilled(shape: tuple[int, ...], classes: bool = False) -> Distillation:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, *shape)).cumsum(axis=-1)

    def bump(X: Any) -> Any:
        value = np.asarray(X).reshape(len(X), -1)[:, 5:9].mean(axis=1)
        return (value > 0).astype(int) if classes else value

    teacher = limbeck.as_teacher(bump, **({"classes": [0, 1]} if classes else {}))
    return limbeck.distill(
        teacher, X.reshape(240, -1), bump(X), into=Searched(shape), progress=False
    )


@pytest.fixture(scope="session")
def wavelet_results() -> dict[str, Distillation]:
    """One signal, two channels, a picture."""
    return {
        "signal": distilled((40,)),
        "channels": distilled((2, 32)),
        "picture": distilled((1, 12, 16), classes=True),
    }


@pytest.fixture
def languages() -> Callable[..., Any]:
    """Makes the record of a distillation of language models, without training any."""
    from limbeck.core.certificate import Certificate, GroupBound
    from limbeck.evaluation.text_comparison import TextFacts
    from limbeck.language.certified_texts import CertifiedTexts
    from limbeck.language.preflight_check import Check
    from limbeck.language.train_texts import Bill
    from limbeck.results.language import LanguageDistillation
    from limbeck.results.language_record import SideBySide

    def make(**changes: Any) -> LanguageDistillation:
        overlap = Measured(0.812, 0.781, 0.837)
        roles = ("teacher", "student", "control")
        facts = {
            role: TextFacts(
                3_000_000 // (i + 1), {"own_overlap": overlap, "log_p": Measured(-1.5, -2, -1)}, 0.5
            )
            for i, role in enumerate(roles)
        }
        groups = tuple(
            GroupBound(f"{whose} texts", 0.25 + 0.01 * i, 0.01, 60, 0.2)
            for i, whose in enumerate(("own", "real"))
        )
        certificate = Certificate(
            0.26, 0.02, 60, 0.2, "total variation", "Maurer and Pontil 2009", "It is near.",
            ("Prompts are independent.",), "a" * 64, "b" * 64, groups=groups,
        )  # fmt: skip
        given: dict[str, Any] = {
            "student": None, "students": (), "certificate": certificate,
            "status": Status(StatusCode.COMPLETE, "All trainings ran to their end."),
            "comparison": Comparison(
                tuple(ModelResult(role, role.title(), "", overlap, None) for role in roles),
                (Difference("overlap", 0.031, 0.004, 0.058),), 0.95),
            "second": (Difference("overlap", 0.02, 0.01, 0.03),), "facts": facts,
            "bill": {"student": Bill(1.5, 2.0, 0.5, 40, 1_200, 300)},
            "generations": tuple(
                SideBySide(f"{i} " + "p" * 150, "t" * 101, "s" * 100, None, 0.5) for i in range(6)
            ),
            "history": ({"seed": 0, "role": "student", "loss": 1.0},
                        {"seed": 0, "role": "student", "score": 0.5}),
            "preflight": (Check("memory", "ok", "It fits."),), "notes": ("<u>Tokens</u> differ.",),
            "settings": {"teacher": "<b>Big</b>", "student": "Small", "prompts": 1_000,
                         "test_prompts": 60, "seeds": [0, 1], "seconds": 90.0, "out": "secret",
                         "versions": {"torch": "2.0", "numpy": None}},
            "judged": CertifiedTexts({}),
        }  # fmt: skip
        return LanguageDistillation(**{**given, **changes})

    return make


@pytest.fixture
def conversions() -> Callable[..., Any]:
    """Makes the record of a conversion, without converting any model."""
    from limbeck.networks.conversion.recall_score import RecallScore
    from limbeck.results.conversion import Conversion
    from limbeck.results.conversion_sections import LanguageFacts

    def make(**changes: Any) -> Conversion:
        share = Measured(0.912, 0.881, 0.937)
        roles = ("teacher", "student", "start")
        given: dict[str, Any] = {
            "student": None, "certificate": None,
            "status": Status(StatusCode.COMPLETE, "All stages ran to their end."),
            "comparison": Comparison(
                tuple(ModelResult(role, role.title(), "", share, share) for role in roles),
                (Difference("overlap", 0.031, 0.004, 0.058),), 0.95),
            "facts": {
                role: LanguageFacts(0.1 * i, 0.9, 2.5, 1_000, 64_000 >> i, 999_499 << i, 3.0)
                for i, role in enumerate(roles)
            },
            "history": ({"seed": 0, "role": "student", "loss": 1.0},), "notes": ("A note.",),
            "settings": {"teacher": "<b>Big</b>", "kept": [0, 3], "layers": 8, "seeds": [0],
                         "test_texts": 40, "test_tokens": 5_120, "preferences": 30},
            "recalled": {
                role: tuple(RecallScore("copying", d, Measured(r, 0.0, 1.0), 0.5)
                            for d, r in ((8, 0.75), (64, 0.25 * i)))
                for i, role in enumerate(roles)
            },
            "preferred": {"teacher": Measured(0.8, 0.6, 0.9)},
        }  # fmt: skip
        return Conversion(**{**given, **changes})

    return make


@pytest.fixture
def generated_sets() -> Callable[..., Any]:
    """Makes the record of a generated set, which no model wrote."""
    from limbeck.language.generated.diversity import Diversity
    from limbeck.language.generated.tasks import DroppedText, GeneratedRow
    from limbeck.language.generated.writing_log import WritingRequest
    from limbeck.results.generated import GeneratedSet
    from limbeck.results.generated_record import FunnelLine
    from limbeck.teachers.completions import WritingBill

    def make(**changes: Any) -> GeneratedSet:
        given: dict[str, Any] = {
            "rows": (GeneratedRow("r0", "Greet.", "", "Hello <b>", requests=(0, 1)),),
            "dropped": (DroppedText("Bye", "too short", 1, "instance"),),
            "requests": (WritingRequest(0, "writing", "p", "Line\nbreak\u2028", "stop"),),
            "funnel": (FunnelLine("instances", "written", 4, 4),
                       FunnelLine("instances", "dropped: too short", 3, 4),
                       FunnelLine("instances", "kept", 1, 4)),
            "diversity": (Diversity("rows", 1, 2, (1.0, 0.5, 0.25)),),
            "bill": WritingBill(2), "control": None, "stopped": "", "notes": ("A note.",),
            "settings": {"model": "m", "method": "self_instruct", "n": 1},
        }  # fmt: skip
        return GeneratedSet(**{**given, **changes})

    return make


@pytest.fixture
def tournaments() -> Callable[..., Any]:
    """Makes the record of a tournament of given bounds; one small tree stands for all students."""
    from limbeck.core.certificate import Certificate
    from limbeck.results.tournament import Tournament
    from limbeck.results.tournament_record import Candidate, Unfinished
    from limbeck.students import Tree

    X = np.arange(8.0).reshape(-1, 1)
    tree = Tree(max_leaves=2).fit(X, X[:, 0] > 3)

    def make(epsilons: Sequence[float] = (0.2, 0.0764, 0.04), **changes: Any) -> Tournament:
        status = Status(StatusCode.COMPLETE, "The search ran to its end.")
        sizes = (("tree", 3, 0.8), ("linear", 5, 0.9), ("tree", 9, 0.95))
        front = [
            Candidate(kind, "way", n, f"{n} things", Measured(value, value - 0.05, 1.0), 1.0, True,
                      {"age": 6, "height": i})
            for i, (kind, n, value) in enumerate(sizes, start=1)
        ][: len(epsilons)]  # fmt: skip
        behind = Candidate("linear", "way", 7, "7 things", Measured(0.7, 0.6, 0.8), 1.0, False)
        finalists = tuple(
            Distillation(
                tree, status,
                Certificate(epsilon, 0.05, 1_000, 0.01, "disagreement", "b", f"Within {epsilon}.",
                            (), "", ""),
                Comparison((), (), 0.95), (), 0, 8, {}, {}, None,
            )
            for epsilon in epsilons
        )  # fmt: skip
        given: dict[str, Any] = {
            "candidates": (*front[:2], behind, *front[2:]), "finalists": finalists,
            "recommended": 1,
            "unfinished": (Unfinished("junta", "other way", "needs <b>queries</b>"),),
            "settings": {"teacher": "Forest", "epsilon": 0.08, "max_numbers": 9, "folds": 5},
        }  # fmt: skip
        return Tournament(**{**given, **changes})

    return make


@pytest.fixture(scope="session")
def halves() -> Tree:
    """A tree of two leaves: whether the only feature is above 90."""
    X = np.arange(200.0).reshape(-1, 1)
    return Tree(max_leaves=2).fit(X, X[:, 0] > 90)


@pytest.fixture
def record(halves: Tree) -> Callable[..., Distillation]:
    """Makes the record of a distillation into a tree, without distilling."""
    certificate = Certificate(
        0.04, 0.05, 1000, 0.02, "disagreement", "exact binomial", "It differs on at most 4%.",
        ("The rows are independent draws.",), "5" * 64, "7" * 64, 0.05,
    )  # fmt: skip
    share = Measured(0.9, 0.85, 0.95)
    entries = tuple(
        ModelResult(role, f"{role}'s model", size, share, share)
        for role, size in (("teacher", ""), ("student", "2 leaves"), ("control", "2 leaves"))
    )
    given: dict[str, Any] = {
        "student": halves, "certificate": certificate, "queries": 50, "rows_seen": 300,
        "status": Status(StatusCode.COMPLETE, "The search ended."), "frontier": (), "trace": {},
        "comparison": Comparison(entries, (), 0.95), "settings": {"teacher": "Net"},
        "holdout": None,
    }  # fmt: skip

    def make(**changes: Any) -> Distillation:
        return Distillation(**{**given, **changes})

    return make
