from __future__ import annotations

import copy
import functools

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import ModuleEnsemble, Pruned  # noqa: E402
from limbeck.networks.pruning.prune import prune  # noqa: E402

pytestmark = pytest.mark.torch


def problem(n=400, seed=0):
    draw = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 6, generator=draw)
    return X, (X[:, 0] * X[:, 1] > 0).long()


def teacher(seed=0):
    return copy.deepcopy(trained(seed))


@functools.cache
def trained(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 2))
    X, y = problem(seed=9)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        optimizer.step()
    return net


@pytest.fixture(scope="module")
def result():
    return limbeck.distill(
        teacher(), *problem(), into=Pruned(size=0.5), epochs=2, seeds=2, progress=False
    )


def test_all_ways_to_the_size_stand_in_one_table(result):
    roles = [e.role for e in result.comparison.entries]
    assert roles == ["teacher", "student", "control", "before healing", "random cut",
                     "from scratch", "last layers cut", "baseline"]  # fmt: skip
    whole = result.facts["teacher"].parameters
    assert result.facts["student"].parameters <= 0.5 * whole
    assert result.facts["random cut"].parameters == result.facts["student"].parameters
    assert result.facts["from scratch"].parameters == result.facts["student"].parameters
    assert [a.role for a in result.comparison.alternatives] == roles[3:7]
    assert "The student was cut from" in result.notes[0]


def test_the_student_learns_the_logits_alone_and_the_control_starts_at_the_same_cut(result):
    assert [row[0] for row in result.settings["objective"]] == ["SoftTargets"]
    assert "temperature=1.0" in result.settings["objective"][0][2]
    shapes = [[p.shape for p in m.parameters()] for m in (result.students[0], result.controls[0])]
    assert shapes[0] == shapes[1]


def test_the_cut_before_healing_is_what_the_student_starts_from(result):
    unhealed, healed = (
        next(e.agreement.value for e in result.comparison.entries if e.role == role)
        for role in ("before healing", "student")
    )
    cut = prune(teacher(), Pruned(size=0.5), problem()[0]).module
    assert result.facts["before healing"].parameters == sum(p.numel() for p in cut.parameters())
    assert not any(row["role"] == "before healing" for row in result.history)
    assert unhealed <= healed


def test_what_the_student_is_compared_with_survives_a_folder(result, tmp_path):
    result.save(tmp_path)
    again = limbeck.load(tmp_path)
    assert again.comparison.alternatives == result.comparison.alternatives
    assert again.verdict == result.verdict


def test_the_teacher_stays_as_it_is():
    net = teacher()
    before = {n: v.clone() for n, v in net.state_dict().items()}
    limbeck.distill(
        net, *problem(), into=Pruned(mlp=0.5), epochs=1, baseline=False, progress=False
    )  # fmt: skip
    assert all(torch.equal(v, before[n]) for n, v in net.state_dict().items())
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize(
    ("given", "settings", "says"),
    [
        (lambda: ModuleEnsemble([teacher(), teacher(1)]), {}, "several networks"),
        (teacher, {"start": "first"}, "start was given"),
        (teacher, {"into": Pruned(heads=0.5)}, "has no heads"),
    ],
)
def test_what_cannot_be_cut_is_refused_before_any_training(given, settings, says):
    with pytest.raises(InvalidInput, match=says):
        limbeck.distill(given(), *problem(), **{"into": Pruned(mlp=0.5)} | settings)


def test_a_cut_in_two_steps_makes_as_many_updates_as_the_one_beside_it(tmp_path):
    two = limbeck.distill(
        teacher(), *problem(), into=Pruned(size=0.25, iterative_steps=2), epochs=2, seeds=2,
        batch_size=32, progress=False, out=tmp_path, timing=False,
    )  # fmt: skip
    whole, size = (two.facts[role].parameters for role in ("teacher", "student"))
    assert two.facts["cut in one step"].parameters <= 0.25 * whole
    assert 0.15 * whole < size <= 0.25 * whole
    assert "cut in one step" in {a.role for a in two.comparison.alternatives}
    last = {}
    for row in two.history:
        last[row["role"], row["seed"]] = row["step"]
    assert len(set(last.values())) == 1
    assert any("are cut in 2 steps" in note for note in two.notes)
    assert (tmp_path / "seed-0" / "distilled" / "step-2").is_dir()
