"""What goes wrong when networks are distilled, through the door: refused by name, with a remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import limbeck
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.networks import (
    BornAgain,
    GoldLabels,
    HiddenStates,
    Interchange,
    Logits,
    ModuleEnsemble,
    RowWeights,
    SoftTargets,
    TeacherConfident,
    TeacherCorrect,
    TeacherLabels,
)
from limbeck.networks.strategies.train_network import TrainNetwork
from limbeck.networks.training.checkpoint import NAME
from limbeck.networks.training.train import Trained

FAST: dict[str, Any] = {"epochs": 2, "batch_size": 16, "baseline": False}


def rows(n: int, seed: int) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long()


def teacher() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))


def student() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


class Config:
    def __init__(self, **known: Any) -> None:
        self.__dict__.update(known)


class Tokenizer:
    def __init__(self, **vocabulary: int) -> None:
        self.get_vocab: Callable[[], dict[str, int]] = lambda: vocabulary


class Text(nn.Module):
    """Reads tokens; it has no configuration, as a user's own network has none."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, 2)

    def forward(self, input_ids: Tensor) -> Tensor:
        found: Tensor = self.words(input_ids).mean(1)
        return found


def sentences(n: int, seed: int) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return {
        "input_ids": torch.randint(0, 30, (n, 5), generator=g),
        "labels": torch.randint(0, 2, (n,), generator=g),
    }


class Tags(nn.Module):
    """A label for each token."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 2)

    def forward(self, input_ids: Tensor) -> Tensor:
        found: Tensor = self.words(input_ids)
        return found


def tagged(n: int) -> dict[str, Tensor]:
    tokens = sentences(n, n)["input_ids"]
    return {"input_ids": tokens, "labels": tokens[:, 1:] % 2}


def configured(**known: Any) -> nn.Module:
    net = nn.Linear(4, 2)
    net.config = Config(**known)  # type: ignore[assignment]
    return net


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test if a student is trained."""

    def refused(*_: Any) -> list[Trained]:
        pytest.fail("a student was trained before the input was refused")

    monkeypatch.setattr(TrainNetwork, "distill", refused)


BEFORE_WORK: dict[str, tuple[dict[str, Any], str]] = {
    "other classes": (
        {"into": lambda: nn.Linear(4, 3)},
        "The teacher has 2 outputs, the student 3. Give the student the teacher's classes",
    ),
    "classes in another order": (
        {
            "teacher": configured(id2label={0: "good", 1: "bad"}),
            "into": configured(id2label={0: "bad", 1: "good"}),
        },
        "Class 0 is 'good' to the teacher and 'bad' to the student",
    ),
    "another vocabulary": (
        {"teacher": configured(vocab_size=50), "into": configured(vocab_size=60)},
        "The teacher's vocabulary has 50 tokens, the student's 60",
    ),
    "another embedding": (
        {
            "teacher": Text(30),
            "into": lambda: Text(32),
            "data": sentences(80, 0),
            "test": sentences(40, 1),
        },
        "The teacher's vocabulary has 30 tokens, the student's 32",
    ),
    "an embedding too small": (
        {
            "teacher": Text(30),
            "into": lambda: Text(3),
            "data": sentences(80, 0),
            "test": sentences(40, 1),
        },
        "There is a token .*, and Text knows 3",
    ),
    "labels of words instead of tokens": (
        {"teacher": Tags(), "into": Tags, "data": tagged(80), "test": tagged(40)},
        r"Labels of the first rows have shape \(4, 4\), and the student answers \(4, 5\) places",
    ),
    "other tokenizers": (
        {"tokenizers": (Tokenizer(a=0, b=1, c=2), Tokenizer(a=0, c=1, b=2))},
        "Token 'b' is 1 to the teacher and 2 to the student. Use the teacher's tokenizer",
    ),
    "one tokenizer": ({"tokenizers": Tokenizer(a=0)}, "tokenizers is a Tokenizer, not a pair"),
    "a peer with other classes": (
        {"into": [student, lambda: nn.Linear(4, 3)]},
        "The teacher has 2 outputs, the student 3",
    ),
    "peers with other classes": (
        {"teacher": None, "into": [student, lambda: nn.Linear(4, 3)], "objective": SoftTargets()},
        r"Students return the shapes \(4, 2\) and \(4, 3\)",
    ),
    "no student": ({"into": []}, "into is an empty list"),
    "no labels for level 0": (
        {"data": rows(80, 0)[0], "objective": GoldLabels()},
        "GoldLabels reads labels, and the samples have none",
    ),
    "no labels for a filter": (
        {"data": rows(80, 0)[0], "objective": SoftTargets(), "filter": TeacherCorrect()},
        "TeacherCorrect reads labels",
    ),
    "weights of other rows": (
        {"filter": RowWeights([1.0] * 7)},
        "There are 7 weights and 80 samples",
    ),
    "no teacher": ({"teacher": None, "objective": SoftTargets()}, "SoftTargets needs a teacher"),
    "nothing at all": ({"teacher": None}, "neither a teacher nor an objective"),
    "a start without a teacher": (
        {"teacher": None, "objective": GoldLabels(), "start": "every second"},
        "start was given without a teacher",
    ),
    "a cache without a teacher": (
        {"teacher": None, "objective": GoldLabels(), "cache": "kept"},
        "cache was given without a teacher",
    ),
    "stored outputs for validation rows without labels": (
        {"objective": SoftTargets(), "cache": "kept", "validation": rows(20, 2)[0]},
        "The validation rows have no labels, and stored outputs are of training rows. Give their",
    ),
    "interventions on stored outputs": (
        {"objective": Interchange({"0": "0"}), "cache": "kept"},
        "Interchange runs the teacher again, which stored outputs cannot",
    ),
    "the same student twice": ({"into": [net := student(), net]}, "holds the same network twice"),
    "a filter among peers": (
        {"into": [student, student], "filter": TeacherConfident(0.9)},
        "filter was given for 2 students",
    ),
    "a mode among peers": (
        {"into": [student, student], "mode": BornAgain(2)},
        "mode was given for 2 students",
    ),
    "probabilities of numbers": (
        {
            "teacher": ModuleEnsemble([nn.Linear(4, 2), nn.Linear(4, 2)]),
            "data": (rows(80, 0)[0], rows(80, 0)[0][:, :2]),
            "test": (rows(80, 1)[0], rows(80, 1)[0][:, :2]),
        },
        "combines probabilities of classes, and the task is regression",
    ),
    "too few rows for a tolerance": (
        {
            "data": (rows(80, 0)[0], rows(80, 0)[0][:, :2]),
            "test": (rows(30, 1)[0], rows(30, 1)[0][:, :2]),
        },
        "With 30 rows no error can be certified.*Give at least 59",
    ),
    "test rows that choose the student": (
        {"validation": rows(40, 1)},
        "40 of the 40 test rows are among the validation rows. Give test rows that choose neither",
    ),
    "test rows of another width": (
        {"test": (torch.zeros(40, 5), torch.zeros(40).long())},
        "The teacher Sequential raised RuntimeError on the first test rows: mat1 and mat2",
    ),
    "validation rows of another width": (
        {"validation": (torch.zeros(40, 5), torch.zeros(40).long())},
        "on the first validation rows",
    ),
    "patience without validation": (
        {"patience": 2, "cache": "kept"},
        "patience is 2, and there are no validation rows",
    ),
    "layers that do not fit, with a cache": (
        {"objective": HiddenStates({"0": "0"}, learned=False), "cache": "kept"},
        r"The teacher's layer '0' returns \(2, 16\) and the student's layer '0' \(2, 8\)",
    ),
    "no such layer, with a cache": (
        {"objective": HiddenStates({"9": "0"}), "cache": "kept"},
        "has no layer '9'",
    ),
    "few test rows": ({"test": rows(5, 1)}, "There are 5 test rows"),
    "classes of numbers": (
        {"data": (rows(80, 0)[0], rows(80, 0)[0][:, :2]), "classes": ["a", "b"]},
        "classes were given for regression",
    ),
    "a rate in quotes": ({"lr": "1e-3"}, "lr is '1e-3'. Give a "),
}


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("case", BEFORE_WORK)
def test_refused_before_any_work(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    change, message = BEFORE_WORK[case]
    given = {"teacher": teacher(), "data": rows(80, 0), "into": student, "test": rows(40, 1)}
    given = {**FAST, **given, **change}
    with pytest.raises(InvalidInput, match=message):
        limbeck.distill(given.pop("teacher"), given.pop("data"), **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("untrained")
def test_a_file_in_the_place_of_the_folder_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("here")
    for out, told in (("run", "is a file"), ("run/deeper", "cannot be made")):
        with pytest.raises(LimbeckError, match=told):
            limbeck.distill(teacher(), rows(80, 0), into=student, out=tmp_path / out, **FAST)


IN_THE_FIRST_BATCH: dict[str, tuple[Any, str]] = {
    "widths that differ": (
        HiddenStates({"0": "0"}, learned=False),
        r"The teacher's layer '0' returns \(2, 16\) and the student's layer '0' \(2, 8\)",
    ),
    "no such layer of the teacher": (HiddenStates({"9": "0"}), "has no layer '9'"),
    "no such layer of the student": (HiddenStates({"0": "body"}), "has no layer 'body'"),
}


@pytest.mark.parametrize("case", IN_THE_FIRST_BATCH)
def test_layers_that_do_not_match_are_named(case: str) -> None:
    objective, message = IN_THE_FIRST_BATCH[case]
    with pytest.raises(InvalidInput, match=message):
        limbeck.distill(teacher(), rows(80, 0), into=student, objective=objective, **FAST)


def test_the_same_tokens_may_lie_in_an_embedding_that_was_filled_up() -> None:
    same = Tokenizer(a=0, b=1), Tokenizer(a=0, b=1)
    found = limbeck.distill(Text(30), sentences(80, 0), into=lambda: Text(32), tokenizers=same,
                            test=sentences(40, 1), control=False, **FAST)  # fmt: skip
    assert found.certificate is not None


def test_hard_labels_have_no_temperature() -> None:
    with pytest.raises(TypeError, match="temperature"):
        TeacherLabels(temperature=4)  # type: ignore[call-arg]
    found = limbeck.distill(teacher(), rows(80, 0), into=student, objective=TeacherLabels(), **FAST)
    assert found.certificate is not None


def test_a_filter_that_lets_nothing_pass() -> None:
    class Unsure(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * super().forward(x)

    with pytest.raises(InvalidInput, match=r"lets no row pass.*at least 0.9"):
        limbeck.distill(Unsure(4, 2), rows(80, 0), into=student, objective=Logits(),
                        filter=TeacherConfident(0.9), **FAST)  # fmt: skip


def test_a_loss_that_is_no_number_names_its_term_and_keeps_the_last_good_checkpoint(
    tmp_path: Path,
) -> None:
    x, y = rows(80, 0)
    kept: list[bytes] = []

    class Breaking(nn.Sequential):
        """A teacher that gives infinite logits from its 26th batch on."""

        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            Breaking.calls += 1
            if Breaking.calls > 25:
                kept.extend(p.read_bytes() for p in tmp_path.rglob(NAME) if not kept)
                return super().forward(x) * torch.inf
            return super().forward(x)

    with pytest.raises(InvalidInput, match=r"The loss of Logits is .*in epoch"):
        limbeck.distill(Breaking(*teacher()), (x, y), into=student, test=rows(40, 1), out=tmp_path,
                        objective=GoldLabels() + Logits(), **{**FAST, "epochs": 9})  # fmt: skip
    assert kept
    assert [p.read_bytes() for p in tmp_path.rglob(NAME)] == kept
    healed = limbeck.distill(teacher(), (x, y), into=student, test=rows(40, 1), out=tmp_path / "b",
                             objective=GoldLabels() + Logits(), **FAST)  # fmt: skip
    assert healed.certificate is not None


FULL_DISK = """
import resource, sys
import limbeck, torch
from limbeck.core.errors import FileRefused
sys.path.insert(0, sys.argv[1])
from test_bad_input_networks import FAST, rows, student, teacher
limit = int(sys.argv[3])
if limit:
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    found = limbeck.distill(teacher(), rows(80, 0), into=student, test=rows(40, 1), control=False,
                            out=sys.argv[2], **FAST)
except FileRefused as error:
    print("REFUSED", error)
else:
    print("DONE", float(sum(p.double().sum() for p in found.student.parameters())))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_full_disk_is_said_and_the_run_goes_on_afterwards(tmp_path: Path) -> None:
    def ran(out: str, limit: int) -> str:
        command = [sys.executable, "-c", FULL_DISK, str(Path(__file__).parent), str(tmp_path / out)]
        done = subprocess.run(
            [*command, str(limit)], capture_output=True, text=True, env=os.environ, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    refused = ran("run", 2048)
    assert refused.startswith("REFUSED")
    assert str(tmp_path / "run") in refused
    assert "cannot be written" in refused
    assert not list((tmp_path / "run").rglob(".*safetensors*"))  # nothing half written
    assert ran("run", 0) == ran("other", 0)
