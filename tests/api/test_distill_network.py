"""A network into a smaller network, through the one door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.core.status import StatusCode
from limbeck.networks import (
    BornAgain,
    Exits,
    GoldLabels,
    HiddenStates,
    Logits,
    SoftTargets,
    TeacherCache,
)
from limbeck.students.files import load

FAST: dict[str, Any] = {"epochs": 4, "batch_size": 32, "lr": 0.02}


def rows(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Three classes, told apart by which of three sums is the largest."""
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))
    return x, torch.stack([x[:, :2].sum(1), x[:, 2:4].sum(1), x[:, 4:].sum(1)]).argmax(0)


class Truth(nn.Module):
    """A teacher that is always right."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 3, bias=False)
        with torch.no_grad():
            self.body.weight.copy_(5 * torch.eye(3).repeat_interleave(2, 1))
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.body(x))


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


@pytest.fixture(scope="module")
def result() -> Any:
    return limbeck.distill(
        Truth().train(),
        rows(200, 0),
        into=small,
        objective=0.9 * SoftTargets(temperature=2.0) + 0.1 * GoldLabels(),
        validation=rows(60, 1),
        test=rows(300, 2),
        seeds=2,
        **FAST,
    )


def test_every_run_has_control_baseline_and_certificate(result: Any) -> None:
    roles = [e.role for e in result.comparison.entries]
    assert roles == ["teacher", "student", "control", "baseline"]
    assert result.comparison.entries[0].accuracy.value == 1.0  # asked in eval mode
    assert result.certificate.n == 300
    said = result.student(rows(300, 2)[0]).argmax(1)
    wrong = int((said != rows(300, 2)[1]).sum())
    assert result.certificate.mean_loss == pytest.approx(wrong / 300)
    assert result.comparison.verdict in ("helped", "no evidence", "hurt")
    assert len(result.students) == len(result.controls) == 2


def test_the_table_means_over_seeds(result: Any) -> None:
    x, y = rows(300, 2)
    shares = [float((m(x).argmax(1) == y).double().mean()) for m in result.students]
    entry = next(e for e in result.comparison.entries if e.role == "student")
    assert entry.accuracy.value == pytest.approx(np.mean(shares))
    controls = [float((m(x).argmax(1) == y).double().mean()) for m in result.controls]
    gain = result.comparison.differences[1]
    assert gain.what == "accuracy on the labels"
    assert gain.value == pytest.approx(np.mean(shares) - np.mean(controls))


def test_student_and_control_start_alike_and_learn_apart(result: Any) -> None:
    for student, control in zip(result.students, result.controls, strict=True):
        assert any(
            not torch.equal(a, b)
            for a, b in zip(student.parameters(), control.parameters(), strict=True)
        )


def test_validation_rows_choose_the_epoch_of_students_and_controls(result: Any) -> None:
    x, y = rows(60, 1)
    for role, networks in (("student", result.students), ("control", result.controls)):
        for seed, network in enumerate(networks):
            told = [r for r in result.history if (r["role"], r["seed"]) == (role, seed)]
            share = float((network(x).argmax(1) == y).double().mean())
            assert max(r["score"] for r in told) == pytest.approx(share)


def test_the_teacher_is_asked_for_each_test_row_once_where_timing_is_off(tmp_path: Path) -> None:
    """But for two rows that are tried before any work; also with everything saved."""
    x, y = rows(300, 2)

    class Counted(Truth):
        def __init__(self) -> None:
            super().__init__()
            self.asked: list[Tensor] = []

        def forward(self, given: Tensor) -> Tensor:
            self.asked.append(given.detach().clone())
            return super().forward(given)

    teacher = Counted()
    found = limbeck.distill(teacher, rows(200, 0), into=small, test=(x, y), timing=False,
                            out=tmp_path, **FAST)  # fmt: skip
    seen = torch.cat(teacher.asked)
    times = (seen[:, None] == x[None]).all(2).sum(0)
    assert times[:2].tolist() == [2, 2]
    assert times[2:].eq(1).all()
    assert found.facts["teacher"].milliseconds is None
    assert "batch" not in str(found).partition("training")[0]
    assert "ms a batch" not in (tmp_path / "report.html").read_text("utf-8")


def test_it_prints_the_verdict(result: Any) -> None:
    text = str(result)
    for said in ("teacher", "control", "certificate", "verdict", "linear"):
        assert said in text
    assert result.comparison.sentence.split(":")[0][:30] in " ".join(text.split())
    assert "<table" in result._repr_html_()


def test_the_same_seed_gives_the_same_student() -> None:
    a, b = (
        limbeck.distill(Truth(), rows(100, 0), into=small, test=rows(50, 2), control=False,
                        baseline=False, **FAST).student
        for _ in range(2)
    )  # fmt: skip
    for one, two in zip(a.parameters(), b.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_module_starts_every_seed_and_is_left_alone() -> None:
    start = small()
    before = [p.clone() for p in start.parameters()]
    limbeck.distill(Truth(), rows(100, 0), into=start, test=rows(50, 2), baseline=False, **FAST)
    for a, b in zip(start.parameters(), before, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", ["loader", "dataset", "numpy"])
def test_data_of_any_kind(kind: str) -> None:
    x, y = rows(120, 0)
    data: Any = TensorDataset(x, y)
    given: tuple[Any, ...] = (data,)
    if kind == "loader":
        given = (DataLoader(data, batch_size=32, shuffle=True),)
    if kind == "numpy":
        given = (x.numpy(), y.numpy())
    found = limbeck.distill(Truth(), *given, into=small, control=False, baseline=False, **FAST)
    assert found.certificate.n == 36  # 0.3 of 120 set aside


def test_without_labels_there_is_no_control_and_level_zero_is_refused() -> None:
    x = rows(120, 0)[0]
    found = limbeck.distill(Truth(), x, into=small, **FAST)
    assert found.comparison.verdict == "no control"
    assert found.certificate is not None
    with pytest.raises(InvalidInput, match="GoldLabels reads labels"):
        limbeck.distill(Truth(), x, into=small, objective=GoldLabels(), **FAST)


def test_numbers_are_compared_by_r_squared_and_a_tolerance() -> None:
    x = rows(200, 0)[0]
    y = x @ torch.arange(6.0)
    teacher = nn.Linear(6, 1)
    with torch.no_grad():
        teacher.weight.copy_(torch.arange(6.0)[None])
        teacher.bias.zero_()
    found = limbeck.distill(
        teacher, (x, y), into=lambda: nn.Linear(6, 1), epochs=30, batch_size=32, lr=0.3, unit="kg"
    )
    assert found.comparison.entries[0].accuracy.value == pytest.approx(1.0, abs=1e-4)
    assert found.certificate.tolerance is not None
    assert "kg" in found.certificate.statement


def test_several_students_teach_each_other() -> None:
    found = limbeck.distill(None, rows(150, 0), into=[small, small], test=rows(60, 2),
                            objective=SoftTargets() + GoldLabels(), **FAST)  # fmt: skip
    roles = [e.role for e in found.comparison.entries]
    assert roles == ["student", "control", "peer 1", "baseline"]
    assert found.certificate is None


def test_hidden_states_are_learned_by_name() -> None:
    found = limbeck.distill(
        Truth(), rows(100, 0), into=small, test=rows(40, 2), control=False, baseline=False,
        objective=Logits() + 0.5 * HiddenStates({"body": "0"}), **FAST,
    )  # fmt: skip
    assert {"Logits", "HiddenStates"} <= set(found.history[0])


def test_a_teacher_no_better_than_its_student_is_said() -> None:
    class Lost(Truth):
        def forward(self, x: Tensor) -> Tensor:
            return 0 * super().forward(x) + torch.tensor([5.0, 0.0, 0.0])

    found = limbeck.distill(Lost(), rows(200, 0), into=small, test=rows(100, 2),
                            objective=SoftTargets(), **FAST | {"epochs": 60})  # fmt: skip
    assert [d.what for d in found.comparison.behind] == ["teacher"]
    assert "The teacher itself is behind the linear model" in found.verdict
    assert found.status.code is StatusCode.HYPOTHESIS_FAILED
    assert found.comparison.verdict == "hurt" or "No evidence" in found.verdict


def test_what_is_saved_can_be_verified_without_the_network(result: Any, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    assert (folder / "report.html").read_text().count("<h1") == 1
    student = load(folder / "student.onnx")
    with np.load(folder / "rows.npz", allow_pickle=False) as kept:
        table, answers = kept["rows"].astype(np.float64), kept["answers"]
    with torch.no_grad():
        expected = result.student(rows(300, 2)[0]).argmax(1).numpy()
    np.testing.assert_array_equal(student.predict(table), expected)
    checked = limbeck.verify(folder / "certificate.json", student, table, answers)
    assert checked.ok
    answers[0] = (answers[0] + 1) % 3
    assert not limbeck.verify(folder / "certificate.json", student, table, answers).ok


def test_test_rows_that_training_saw_are_refused_before_work() -> None:
    x, y = rows(100, 0)
    with pytest.raises(InvalidInput, match="20 of the 20 test rows are among the training rows"):
        limbeck.distill(Truth(), (x, y), into=small, test=(x[:20], y[:20]), **FAST)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"into": lambda: nn.Linear(6, 4)}, "The teacher has 3 outputs, the student 4"),
        ({"into": lambda: nn.Linear(5, 3)}, r"The student Linear raised .*[^.]\. Call it"),
        ({"start": "first"}, "start='first' copies nothing from the Truth into the Sequential"),
        ({"start": True}, "layers are to be chosen by True"),
        ({"start": "every other"}, "chosen by 'every other'.*Did you mean 'every second'"),
        ({"into": lambda: 3}, "into made a int"),
        ({"into": [3]}, "into holds a int"),
        ({"objective": "soft"}, "The objective is 'soft'"),
        ({"seeds": 0}, "seeds is 0"),
        ({"epoch": 3}, "no setting 'epoch'.*Did you mean 'epochs'"),
        ({"holdout": 0.01}, "1 of 100 rows would be set aside"),
        ({"classes": ["a", "b"]}, "There are 2 classes and 3 outputs"),
        ({"cache": True}, "cache=True was given without out"),
        ({"groups": [1]}, "groups was given"),
    ],
)
def test_bad_input_is_refused_with_the_value(change: dict[str, Any], message: str) -> None:
    given = {"into": small, **FAST, **change}
    with pytest.raises(InvalidInput, match=message):
        limbeck.distill(Truth(), rows(100, 0), **given)


def test_what_cannot_teach_a_network_is_refused() -> None:
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(InvalidInput, match="cannot teach a network"):
        limbeck.distill(object(), rows(100, 0), into=small)
    with pytest.raises(InvalidInput, match="LogisticRegression is not fitted"):
        limbeck.distill(LogisticRegression(), rows(100, 0), into=small)


def test_a_finished_run_is_not_done_again(tmp_path: Path) -> None:
    given: dict[str, Any] = {"into": small, "test": rows(50, 2), "out": tmp_path / "run", **FAST}
    first = limbeck.distill(Truth(), rows(100, 0), cache=True, **given)
    again = limbeck.distill(Truth(), rows(100, 0), cache=True, **given)
    for a, b in zip(first.student.parameters(), again.student.parameters(), strict=True):
        assert torch.equal(a, b)
    stamps = [
        p.stat().st_mtime_ns for p in sorted((tmp_path / "run/seed-0").rglob("*.safetensors"))
    ]
    assert stamps
    assert (tmp_path / "run/teacher_cache").is_dir()


class Deep(nn.Module):
    """A stack of layers."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for layer in self.layers:
            x = torch.relu(layer(x))
        out: Tensor = self.last(x)
        return out


def test_a_start_is_told() -> None:
    found = limbeck.distill(Deep(4), rows(80, 0), into=lambda: Deep(2), start="every second",
                            test=rows(60, 2), baseline=False, **FAST)  # fmt: skip
    assert "100.0% of the student's parameters come from the teacher." in found.notes


def test_exits_have_a_control_although_they_need_no_teacher() -> None:
    exits = Exits(small(), {"1": "auto"}, rows(4, 0)[0])
    found = limbeck.distill(None, rows(80, 0), into=exits, objective=exits.objective(),
                            test=rows(60, 2), baseline=False, **FAST)  # fmt: skip
    assert [e.role for e in found.comparison.entries] == ["student", "control"]
    assert [d.what for d in found.comparison.differences] == ["accuracy on the labels"]


def test_generations_are_lines_of_the_table() -> None:
    found = limbeck.distill(Truth(), rows(80, 0), into=small, mode=BornAgain(3), test=rows(60, 2),
                            baseline=False, **FAST)  # fmt: skip
    roles = [e.role for e in found.comparison.entries]
    assert roles == ["teacher", "student", "control", "generation 1", "generation 2"]
    assert {r["role"] for r in found.history} == set(roles) - {"teacher"}


class Noisy(Dataset[tuple[Tensor, Tensor]]):
    """Rows that are augmented at random."""

    def __len__(self) -> int:
        return 80

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        x, y = rows(80, 0)
        return x[i] + 0.1 * torch.randn(6), y[i]


def test_augmented_rows_are_stored_in_views_for_every_seed(tmp_path: Path) -> None:
    given: dict[str, Any] = {"into": small, "test": rows(60, 2), "baseline": False, **FAST}
    with pytest.raises(InvalidInput, match=r"augmented at random.*views=4"):
        limbeck.distill(Truth(), Noisy(), cache=True, out=tmp_path / "run", **given)
    cache = TeacherCache(tmp_path / "kept", views=2)
    found = limbeck.distill(Truth(), Noisy(), cache=cache, seeds=2, **given)
    assert len(found.controls) == 2
    assert cache.views == 2


def test_several_labels_and_several_numbers_are_certified() -> None:
    x, t = rows(120, 0)[0], rows(90, 2)[0]
    net = nn.Linear(6, 2)
    labels = limbeck.distill(net, (x, (x[:, :2] > 0).float()), into=lambda: nn.Linear(6, 2),
                             test=(t, (t[:, :2] > 0).float()), **FAST)  # fmt: skip
    assert labels.settings["task"] == "multilabel"
    assert labels.certificate.mean_loss == pytest.approx(
        float(((labels.student(t) > 0) != (net(t) > 0)).double().mean()), abs=1e-9
    )
    several = [nn.Linear(6, 2), nn.Linear(6, 2)]  # the mean of their numbers
    numbers = limbeck.distill(several, (x, x[:, :2]), into=lambda: nn.Linear(6, 2),
                              test=(t, t[:, :2]), **FAST)  # fmt: skip
    assert numbers.settings["task"] == "regression"
    with torch.no_grad():
        far = (numbers.student(t) - sum(m(t) for m in several) / 2).abs().amax(1)
    assert numbers.certificate.tolerance <= float(far.max()) * (1 + 1e-6)
    assert numbers.certificate.tolerance >= float(far.quantile(0.95))


def test_loaders_on_all_sides() -> None:
    loaders = [DataLoader(TensorDataset(*rows(n, s)), batch_size=7) for n, s in
               ((80, 0), (30, 1), (60, 2))]  # fmt: skip
    found = limbeck.distill(Truth(), loaders[0], into=small, validation=loaders[1],
                            test=loaders[2], baseline=False, **FAST)  # fmt: skip
    assert found.certificate.n == 60


def sentences(n: int, seed: int, words: bool) -> dict[str, Tensor]:
    ids = torch.randint(1, 50, (n, 9), generator=torch.Generator().manual_seed(seed))
    mask = torch.ones_like(ids)
    mask[::2, 6:] = 0
    labels = ids if words else (ids > 25).long()
    return {"input_ids": ids * mask, "attention_mask": mask,
            "labels": torch.where(mask > 0, labels, -100)}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("task", ["tokens", "language"])
def test_answers_by_token(task: str) -> None:
    transformers = pytest.importorskip("transformers")
    size = {"vocab_size": 50, "num_labels": 2}

    def net(layers: int) -> nn.Module:
        if task == "tokens":
            config = transformers.BertConfig(
                hidden_size=16, num_hidden_layers=layers, num_attention_heads=2,
                intermediate_size=32, max_position_embeddings=32, **size,
            )  # fmt: skip
            found = transformers.BertForTokenClassification(config)
        else:
            config = transformers.GPT2Config(
                n_embd=16, n_layer=layers, n_head=2, n_positions=32, bos_token_id=0,
                eos_token_id=0, **size,
            )  # fmt: skip
            found = transformers.GPT2LMHeadModel(config)
        assert isinstance(found, nn.Module)
        return found

    teacher = net(2)
    words = task == "language"
    found = limbeck.distill(teacher, sentences(64, 0, words), into=lambda: net(1), seeds=2,
                            test=sentences(32, 1, words), start="every second", **FAST)  # fmt: skip
    assert found.settings["task"] == task
    data = sentences(32, 1, words)
    there = data["attention_mask"].bool()
    asked = {k: v for k, v in data.items() if k != "labels"}
    with torch.no_grad():
        said = found.student(**asked).logits.argmax(-1)
        taught = teacher.eval()(**asked).logits.argmax(-1)
    if words:  # what is said at a place is the next token
        said, taught, there = said[:, :-1], taught[:, :-1], there[:, 1:]
    shares = ((said != taught) & there).sum(1) / there.sum(1)
    assert found.certificate.mean_loss == pytest.approx(float(shares.double().mean()), abs=1e-6)


def test_a_control_is_kept_for_other_objectives_with_and_without_a_cache(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "into": small, "test": rows(50, 2), "control": tmp_path / "controls", "baseline": False,
    }  # fmt: skip
    first = limbeck.distill(Truth(), rows(100, 0), cache=tmp_path / "cache", **given, **FAST)
    stamps = [p.stat().st_mtime_ns for p in sorted((tmp_path / "controls").rglob("*"))]
    again = limbeck.distill(Truth(), rows(100, 0), objective=Logits(), **given, **FAST)
    assert [p.stat().st_mtime_ns for p in sorted((tmp_path / "controls").rglob("*"))] == stamps
    for a, b in zip(first.controls[0].parameters(), again.controls[0].parameters(), strict=True):
        assert torch.equal(a, b)
