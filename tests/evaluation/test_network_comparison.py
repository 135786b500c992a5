"""Networks on the same unseen rows: entries, differences, calibration, certificate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from torch import Tensor, nn

from limbeck.certificates.binomial import interval, paired_interval
from limbeck.certificates.fingerprint import row_hashes
from limbeck.certificates.verification import verify
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task, TaskKind
from limbeck.evaluation.comparison import Comparison
from limbeck.evaluation.intervals import gain_over, mean_over
from limbeck.evaluation.network_comparison import Judge, SeedNetworks
from limbeck.evaluation.networks import Said
from limbeck.networks.datasets.data import Samples
from limbeck.networks.predictor import layout_of, rows_of
from limbeck.results.artifacts import Artifacts
from limbeck.students.onnx.student import OnnxStudent

N, K = 60, 3
TASK = Task(classes=("a", "b", "c"))


class Answers(nn.Module):
    """Gives a row, whose place is its input, the answer of a table with a chosen confidence."""

    def __init__(self, answers: NDArray[Any], sure: float = 0.9) -> None:
        super().__init__()
        logit = float(np.log(sure * (K - 1) / (1 - sure)))
        one_hot = torch.nn.functional.one_hot(torch.tensor(answers), K).float()
        self.table = nn.Parameter(logit * one_hot)

    def forward(self, x: Tensor) -> Tensor:
        return self.table[x[:, 0].long()]


def drawn(seed: int, share: float, truth: NDArray[Any]) -> NDArray[Any]:
    """Answers of which a share is the truth."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(truth)) < share, truth, (truth + rng.integers(1, K, N)) % K)


@pytest.fixture(scope="module")
def truth() -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, K, N)


def judge(truth: NDArray[Any] | None, teacher: nn.Module | None, delta: float = 0.05) -> Judge:
    rows = torch.arange(float(N))[:, None]
    samples = Samples.of(rows, truth, batch_size=16).aimed(TASK)
    return Judge(samples, TASK, teacher, delta)


@pytest.fixture(scope="module")
def made(truth: NDArray[Any]) -> dict[str, list[NDArray[Any]]]:
    return {
        "teacher": [drawn(1, 0.9, truth)],
        "student": [drawn(s, 0.8, truth) for s in (2, 3, 4)],
        "control": [drawn(s, 0.5, truth) for s in (5, 6, 7)],
        "baseline": [drawn(8, 0.4, truth)],
    }


@pytest.fixture(scope="module")
def found(truth: NDArray[Any], made: dict[str, list[NDArray[Any]]]) -> Any:
    contestants = [
        SeedNetworks(role, role.title(), [Answers(a) for a in answers])
        for role, answers in made.items()
        if role != "teacher"
    ]
    return judge(truth, Answers(made["teacher"][0])).compare(contestants)


def test_entries_are_means_over_seeds(found: Any, truth: Any, made: Any) -> None:
    comparison, _ = found
    assert [e.role for e in comparison.entries] == ["teacher", "student", "control", "baseline"]
    for entry in comparison.entries:
        right = np.array([a == truth for a in made[entry.role]], float)
        agreed = np.array([a == made["teacher"][0] for a in made[entry.role]], float)
        assert entry.accuracy == mean_over(right, 0.05, (0.0, 1.0))
        assert entry.agreement == mean_over(agreed, 0.05, (0.0, 1.0))
        assert 0 <= entry.accuracy.low <= entry.accuracy.value <= entry.accuracy.high <= 1
    assert comparison.entries[0].agreement.value == 1
    one = comparison.entries[3].accuracy  # one seed: exact
    hits = int((made["baseline"][0] == truth).sum())
    assert (one.low, one.high) == pytest.approx(interval(hits, N, 0.05))


def test_differences_pair_seeds_and_rows(found: Any, truth: Any, made: Any) -> None:
    agreement, accuracy = found[0].differences
    for difference, target in ((agreement, made["teacher"][0]), (accuracy, truth)):
        ours, theirs = (
            np.array([a == target for a in made[role]], float) for role in ("student", "control")
        )
        assert difference == gain_over(difference.what, ours, theirs, 0.05)
        assert difference.value == pytest.approx((ours - theirs).mean())
    assert accuracy.verdict == "helped"
    assert "this seed" not in found[0].sentence


def test_one_seed_is_compared_exactly(truth: Any, made: Any) -> None:
    pair = [SeedNetworks(r, r, [Answers(made[r][0])]) for r in ("student", "control")]
    comparison, _ = judge(truth, None).compare(pair)
    (only,) = comparison.differences
    ours, theirs = (made[r][0] == truth for r in ("student", "control"))
    low, high = paired_interval(int((ours & ~theirs).sum()), int((~ours & theirs).sum()), N, 0.05)
    assert (only.low, only.high) == pytest.approx((low, high))
    assert np.isnan(comparison.entries[0].agreement.value)  # nobody to agree with
    assert "with this seed" in comparison.sentence


def test_a_baseline_closer_to_the_teacher_is_named(truth: Any, made: Any) -> None:
    rival = [SeedNetworks("student", "Net", [Answers(drawn(9, 0.3, truth))])]
    rival.append(SeedNetworks("baseline", "linear model", [Answers(made["teacher"][0])]))
    comparison, _ = judge(truth, Answers(made["teacher"][0])).compare(rival)
    (found,) = comparison.rivals
    assert found.what == "linear model"
    assert found.high < 0
    assert "The linear model is closer to the teacher" in comparison.sentence


def test_a_baseline_is_closer_only_where_the_interval_says_so(truth: Any) -> None:
    """Two rows of 60 more is an estimate below zero, and no proof."""
    taught = drawn(1, 0.9, truth)
    student, linear = taught.copy(), taught.copy()
    student[:5] = (student[:5] + 1) % K
    linear[5:8] = (linear[5:8] + 1) % K
    pair = [SeedNetworks("student", "Net", [Answers(student)])]
    pair.append(SeedNetworks("baseline", "linear model", [Answers(linear)]))
    entries, rivals = (lambda c: (c.entries, c.rivals))(
        judge(truth, Answers(taught)).compare(pair)[0]
    )
    assert entries[1].agreement.value < entries[2].agreement.value
    assert rivals == ()


class Counted(nn.Module):
    """A network that counts how often each row is asked for."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.asked = inner, torch.zeros(N)

    def forward(self, x: Tensor) -> Tensor:
        self.asked[x[:, 0].long()] += 1
        return self.inner(x)


def test_the_teacher_is_asked_for_each_row_once(truth: Any, made: Any) -> None:
    """Table, differences, classes, calibration and certificate share one pass."""
    teacher = Counted(Answers(made["teacher"][0]))
    pair = [SeedNetworks(r, r, [Answers(made[r][0])]) for r in ("student", "control", "baseline")]
    quick = replace(judge(truth, teacher), timing=False)
    facts = quick.compare(pair)[1]
    quick.certified(pair[0].networks[0], layout_of(quick.rows.batches(range(N))))
    assert teacher.asked.tolist() == [1.0] * N
    assert facts["student"].by_class
    assert facts["student"].milliseconds is None
    assert facts["student"].timed_calls == 0
    assert facts["student"].parameters == N * K


def test_timing_calls_are_few_and_counted(truth: Any, made: Any) -> None:
    teacher = Counted(Answers(made["teacher"][0]))
    facts = judge(truth, teacher).compare([SeedNetworks("student", "s", [teacher])])[1]
    beyond = teacher.asked - 2  # teacher and student are the same network
    assert beyond[16:].eq(0).all()  # on the first batch only
    assert beyond[:16].eq(2 * facts["student"].timed_calls).all()
    assert facts["student"].timed_calls <= 13


def test_facts_hold_sizes_mistakes_classes_and_costs(found: Any, truth: Any, made: Any) -> None:
    facts = found[1]["student"]
    taught = made["teacher"][0]
    said = np.stack(made["student"])  # (seeds, n): all are means over seeds
    assert facts.parameters == N * K
    assert facts.weight_bytes == 4 * N * K
    assert facts.mistakes["inherited"] == pytest.approx(((said != truth) & (said == taught)).mean())
    assert facts.mistakes["own"] == pytest.approx(((said != truth) & (taught == truth)).mean())
    assert sum(facts.mistakes.values()) == pytest.approx((said != truth).mean())
    assert list(facts.by_class) == ["a", "b", "c"]
    assert sum(row["places"] for row in facts.by_class.values()) == N
    right = (said == truth)[:, truth == 1].mean()
    assert facts.by_class["b"]["accuracy"] == pytest.approx(right)
    assert facts.milliseconds.low <= facts.milliseconds.value <= facts.milliseconds.high
    assert facts.batch_size == 16


def test_without_labels_only_agreement_is_told(made: Any) -> None:
    pair = [SeedNetworks(r, r, [Answers(made[r][0])]) for r in ("student", "control")]
    comparison, facts = judge(None, Answers(made["teacher"][0])).compare(pair)
    assert [d.what for d in comparison.differences] == ["agreement with the teacher"]
    assert all(e.accuracy is None for e in comparison.entries)
    assert facts["student"].calibration is None
    assert facts["student"].mistakes == {}


def test_calibration_has_an_interval_that_covers(truth: Any) -> None:
    """All answers fall into one bin: the error is |share right - 0.9| and its mean is known."""
    hits, runs, share = 0, 30, 0.6
    for seed in range(runs):
        net = Answers(drawn(100 + seed, share, truth), sure=0.9)
        fixed = judge(truth, None, delta=0.1)
        said = fixed.compare([SeedNetworks("student", "Net", [net])])[1]["student"].calibration
        right = float((net.table.argmax(1).numpy() == truth).mean())
        assert said.value == pytest.approx(abs(right - 0.9), abs=1e-6)
        assert said.low <= said.value <= said.high
        hits += said.low <= 0.9 - share <= said.high
    assert hits / runs > 0.9 - 3 * (0.09 / runs) ** 0.5


@pytest.mark.parametrize(("off", "true"), [(0.0, 0.0), (0.1, 0.1)])
def test_intervals_of_calibration_cover_many_bins(off: float, true: float) -> None:
    """Confidence over nine bins, right less often by ``off``; without it the truth is 0.

    The estimate is then 0.06 in the mean of 300 rows: an interval laid around it leaves 0 out.
    """
    rng, hits, runs, n = np.random.default_rng(0), 0, 30, 300
    for _ in range(runs):
        sure = rng.uniform(0.45, 0.99, n)
        right = rng.random(n) < sure - off
        found = Said(np.zeros(n, int), sure, np.where(right, 0, 1), np.arange(n), TASK)
        measured = judge(None, None)._calibration([found])
        assert measured is not None
        hits += measured.low <= true <= measured.high
    assert hits / runs > 0.95 - 3 * (0.05 * 0.95 / runs) ** 0.5


def test_the_certificate_is_of_the_rows_and_needs_a_teacher(truth: Any, made: Any) -> None:
    full = judge(truth, Answers(made["teacher"][0]))
    layout = layout_of(full.rows.batches(range(N)))
    student = Answers(made["student"][0])
    certified = full.certified(student, layout)
    certificate = full.certificate(certified, None, 0.5)
    differ = made["student"][0] != made["teacher"][0]
    assert certificate.mean_loss == pytest.approx(differ.mean())
    labels = np.array(["a", "b", "c"])[made["student"][0]]
    np.testing.assert_array_equal(certified.predict(certified.table.rows), labels)
    assert judge(truth, None).certified(student, layout) is None
    assert judge(truth, None).certificate(None, None, 0.5) is None


def test_numbers_are_scored_by_the_mean_r_squared_of_outputs() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 4)
    y = x[:, :2] * torch.tensor([1.0, 10.0]) + torch.tensor([0.0, 300.0])
    net = nn.Linear(4, 2)
    task = Task(unit="m", outputs=2)
    rows = Samples.of((x, y)).aimed(task)
    comparison, facts = Judge(rows, task, None, 0.05).compare(
        [SeedNetworks("student", "Linear", [net])]
    )
    with torch.no_grad():
        expected = r2_score(y.numpy(), net(x).numpy())
    assert comparison.entries[0].accuracy.value == pytest.approx(expected, rel=1e-4)
    assert facts["student"].calibration is None
    assert facts["student"].by_class == {}


class Tags(nn.Module):
    """A label a token, by its table."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        g = torch.Generator().manual_seed(seed)
        self.table = nn.Parameter(torch.randn(30, K, generator=g))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.table[input_ids]


class Several(nn.Linear):
    """Labels that hold together, or several numbers."""

    def __init__(self, seed: int) -> None:
        super().__init__(4, K)
        with torch.no_grad():
            self.weight.copy_(torch.randn(K, 4, generator=torch.Generator().manual_seed(seed)))


def sentences(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"input_ids": [rng.integers(1, 30, rng.integers(3, 9)).tolist() for _ in range(n)]}


def several(n: int, seed: int) -> Tensor:
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("kind", "net", "drawn"),
    [
        (TaskKind.TOKENS, Tags, sentences),
        (TaskKind.LANGUAGE, Tags, sentences),
        (TaskKind.MULTILABEL, Several, several),
        (TaskKind.REGRESSION, Several, several),
    ],
)
def test_training_rows_among_rows_with_many_answers_are_refused(
    kind: TaskKind, net: Any, drawn: Any, tmp_path: Path
) -> None:
    """In the certificate of the networks, in that of the ONNX file, and when it is verified."""
    task, teacher, student = Task.of(kind, K), net(0), net(1)
    training, test = Samples.of(drawn(80, 1)), Samples.of(drawn(70, 2))
    whole = [s.batches(range(len(s)), 7) for s in (training, test)]
    layout = layout_of(b for side in whole for b in side)

    def hashes(rows: Samples) -> NDArray[np.uint64]:
        parts = [rows_of(b.inputs, layout) for b in rows.batches(range(len(rows)), 9)]
        return row_hashes(layout.bare(np.concatenate(parts)))

    fair = Judge(test, task, teacher, 0.05)
    fresh, leaked = hashes(training), np.concatenate([hashes(training), hashes(test)[:20]])
    certified = fair.certified(student, layout)
    certificate = fair.certificate(certified, fresh, 0.5)
    assert certificate is not None
    assert certified is not None
    assert any("80 rows that training saw: 0 of 70 coincide" in a for a in certificate.assumptions)
    with pytest.raises(InvalidInput, match="Training saw 20 of these 70 rows"):
        fair.certificate(certified, leaked, 0.5)

    Artifacts(certified, layout, fresh, 0.5, 0.05).write(Written(student, certificate), tmp_path)
    onnx = OnnxStudent(tmp_path / "student.onnx")
    with np.load(tmp_path / "rows.npz") as file:
        rows, answers = file["rows"], file["answers"]
    checked = verify(tmp_path / "certificate.json", onnx, rows, answers, seen=fresh)
    assert checked.ok
    with pytest.raises(InvalidInput, match="Training saw 20 of these 70 rows"):
        verify(tmp_path / "certificate.json", onnx, rows, answers, seen=leaked)


@dataclass
class Written:
    """What `Artifacts.write` needs of a result."""

    student: nn.Module
    certificate: Any


def test_student_and_control_behind_the_baseline_are_named(truth: Any) -> None:
    """By interval; a student of a wrong teacher is as wrong, and closer to it than the baseline."""
    good, poor, near = (
        Answers(drawn(s, share, truth)) for s, share in ((1, 1), (2, 0.3), (3, 0.9))
    )

    def behind(teacher: Any, student: nn.Module, control: nn.Module) -> list[str]:
        lines = [SeedNetworks("student", "s", [student]), SeedNetworks("control", "c", [control]),
                 SeedNetworks("baseline", "linear model", [good])]  # fmt: skip
        return [d.what for d in judge(truth, teacher).compare(lines)[0].behind]

    assert behind(good, poor, poor) == ["student", "control"]
    assert behind(good, near, poor) == ["control"]
    assert behind(good, near, near) == []
    assert behind(poor, poor, near) == ["teacher"]
    assert behind(poor, poor, poor) == ["teacher", "control"]
    assert behind(poor, Answers((drawn(2, 0.3, truth) + 1) % K), near) == ["teacher", "student"]
    assert behind(None, poor, near) == ["student"]


def test_behind_on_the_labels_alone_is_behind_unless_the_teacher_is(truth: Any) -> None:
    """The student agrees with its teacher about as often as the linear model does."""

    def wrong(rows: int) -> Answers:
        return Answers(np.where(np.arange(N) < rows, (truth + 1) % K, truth))

    def found(teacher: Answers) -> Comparison:
        lines = [SeedNetworks("student", "s", [wrong(12)]),
                 SeedNetworks("control", "c", [wrong(0)]),
                 SeedNetworks("baseline", "linear model", [wrong(0)])]  # fmt: skip
        return judge(truth, teacher).compare(lines)[0]

    good = found(wrong(4))
    assert good.entries[1].agreement.value == pytest.approx(52 / 60)
    assert good.entries[-1].agreement.value == pytest.approx(56 / 60)
    assert [d.what for d in good.behind] == ["student"]
    assert "The teacher itself" not in good.warning
    weak = found(wrong(12))
    assert [d.what for d in weak.behind] == ["teacher"]
    assert "The teacher itself is behind the linear model on the labels (-0.2" in weak.warning
    assert "train the teacher further" in weak.sentence


def test_with_cases_scores_and_certificate_go_by_case() -> None:
    """Ten copies of a row as one case tell no more than the row."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=g)
    y = torch.randint(0, 2, (40,), generator=g)
    teacher, student = nn.Linear(3, 2), nn.Linear(3, 2)
    noise = torch.randn(400, 3, generator=g) * 1e-3
    many = Samples.of((x.repeat_interleave(10, 0) + noise, y.repeat_interleave(10)))
    many.cases = np.repeat(np.arange(40), 10)
    task = Task((0, 1))
    judge = Judge(many.aimed(task), task, teacher, 0.05, timing=False)
    comparison, _ = judge.compare([SeedNetworks("student", "Linear", [student])])
    taught = teacher(many.fetch(range(400)).inputs).argmax(1)
    told = student(many.fetch(range(400)).inputs).argmax(1)
    means = (taught == told).float().reshape(40, 10).mean(1).numpy()
    agreed = comparison.entries[1].agreement
    assert agreed.value == pytest.approx(means.mean(), abs=1e-6)
    layout = layout_of(judge.rows.batches(range(400)))
    certificate = judge.certificate(judge.certified(student, layout), None, 0.05)
    assert certificate is not None
    assert certificate.n == 40
    assert certificate.mean_loss == pytest.approx(1 - means.mean(), abs=1e-6)
    assert "40 fresh cases with 400 rows" in certificate.statement
