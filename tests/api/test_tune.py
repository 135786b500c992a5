"""`limbeck.tune`: as many trials for the control, resumed after a kill, and honest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import limbeck  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks import GoldLabels, SoftTargets, TeacherLabels  # noqa: E402
from limbeck.networks.strategies.train_network import TrainNetwork  # noqa: E402

X = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
W = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
Y = (X @ W).argmax(1)
QUICK: dict[str, Any] = {
    "validation": (X[60:120], Y[60:120]), "test": (X[120:], Y[120:]), "epochs": 6, "trials": 6,
    "batch_size": 16, "seeds": 1, "timing": False, "progress": False, "baseline": False,
}  # fmt: skip
OVER = {"lr": [1e-4, 1e-2, 1e-1], "temperature": [1.0, 4.0]}


def teacher() -> Any:
    made = torch.nn.Linear(4, 3)
    made.weight.data, made.bias.data = 5 * W.T.contiguous(), torch.zeros(3)
    return made


def student() -> Any:
    return torch.nn.Linear(4, 3)


def search(**given: Any) -> Any:
    data = (X[:60], Y[:60])
    return limbeck.tune(teacher(), data, into=student, **{"over": OVER} | QUICK | given)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return search(out=tmp_path_factory.mktemp("search") / "run")


def test_student_and_control_get_the_same_trials_and_updates(found: Any) -> None:
    ours, theirs = found.of("student"), found.of("control")
    assert len(ours) == len(theirs) == 6
    assert sum(t.updates for t in ours) == sum(t.updates for t in theirs)
    assert {t.seed for t in ours} == {t.seed for t in theirs}
    assert len({t.seed for t in ours}) == 6
    assert all(set(t.settings) == {"lr"} for t in theirs)
    assert sorted(t.settings["lr"] for t in ours) == sorted(t.settings["lr"] for t in theirs)
    best = found.chosen("student")
    last = [t for t in ours if t.rounds == best.rounds]
    assert best.score == max(t.score for t in last)
    assert found.result.settings["training"]["lr"] == best.settings["lr"]
    assert f"temperature={best.settings['temperature']}" in str(found.result.settings["objective"])


def test_the_settings_are_judged_from_fresh_seeds_on_rows_that_chose_nothing(found: Any) -> None:
    assert found.result.settings["seeds"] == [0]
    assert 0 not in {t.seed for t in found.trials}
    assert found.result.certificate.n == 180
    assert "chosen by 60 validation rows" in found.selection
    assert found.selection in found.verdict
    text = str(found)
    assert "chosen" in text
    assert "Of 6 trials of the control" in " ".join(text.split())


def test_it_is_saved_and_loaded(found: Any, tmp_path: Path) -> None:
    again = limbeck.load(found.save(tmp_path / "saved"))
    assert str(again).split("note")[0] == str(found).split("note")[0]
    assert again.trials == found.trials
    page = (tmp_path / "saved" / "tuning.html").read_text()
    assert page.count("<tr") > 12
    assert 'href="report.html"' in page
    assert (tmp_path / "saved" / "report.html").is_file()
    assert "report.html" not in found.report(tmp_path / "alone.html").read_text()
    assert len(found.to_frame()) == 12
    assert found.to_frame("models")["role"].tolist()[:2] == ["teacher", "student"]


def test_what_is_done_is_not_trained_again(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Path(found.result.settings["out"])
    trained: list[str] = []
    own = TrainNetwork.distill

    def watched(self: Any, seed: int, folder: Any, tell: Any) -> Any:
        trained.append(str(folder))
        return own(self, seed, folder, tell)

    monkeypatch.setattr(TrainNetwork, "distill", watched)
    again = search(out=out)
    assert [Path(t).parent.name for t in trained] == ["seed-0"]
    assert again.trials == found.trials
    with pytest.raises(InvalidInput, match="another eta"):
        search(out=out, eta=2)
    with pytest.raises(InvalidInput, match="another over"):
        search(out=out, over={"lr": [0.5], "temperature": [1.0]})


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on(tmp_path: Path) -> None:
    """Killed in the middle of its trials by a signal that cannot be caught."""
    here = Path(__file__)
    code = (
        f"import sys; sys.path.insert(0, {str(here.parent)!r})\n"
        "from test_tune import search\n"
        f"search(out={str(tmp_path / 'run')!r}, trials=6, epochs=200)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    ends = time.time() + 120
    while len(list((tmp_path / "run").rglob("rung-0.json"))) < 3 and time.time() < ends:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {f: f.stat().st_mtime for f in (tmp_path / "run").rglob("rung-0.json")}
    assert len(done) >= 3
    assert not (tmp_path / "run" / "tuning.json").exists()
    resumed = search(out=tmp_path / "run", trials=6, epochs=200)
    assert all(f.stat().st_mtime == when for f, when in done.items())
    assert resumed.trials == search(trials=6, epochs=200).trials


@pytest.mark.slow
def test_processes_make_no_difference(found: Any) -> None:
    assert search(n_jobs=2).trials == found.trials


@pytest.mark.slow
def test_two_workers_of_dask_give_the_same_trials(found: Any) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        assert search(n_jobs=None).trials == found.trials


@pytest.mark.slow
def test_two_workers_of_ray_give_the_same_trials(found: Any) -> None:
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        register_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            assert search(n_jobs=None).trials == found.trials
    finally:
        ray.shutdown()


def test_a_trial_that_diverges_is_counted_and_never_chosen() -> None:
    over = {"lr": [1e-2, 1e37], "optimizer": ["sgd"]}
    result = search(over=over, trials=2, objective=SoftTargets() + GoldLabels())
    bad = [t for t in result.trials if t.failed]
    assert {t.role for t in bad} == {"student", "control"}
    assert all(t.settings["lr"] == 1e37 and not t.chosen for t in bad)
    assert "1 of which failed" in result.selection
    with pytest.raises(InvalidInput, match=r"No trial of the student came to an end \(1 failed\)"):
        search(over={"lr": [1e37], "optimizer": ["sgd"]}, trials=1)


@pytest.mark.parametrize("n_jobs", [0, "two", 1.5])
def test_processes_that_cannot_be_are_refused(n_jobs: Any) -> None:
    with pytest.raises(InvalidInput, match=f"n_jobs is {n_jobs!r}"):
        search(n_jobs=n_jobs)


def test_a_control_that_nothing_concerns_gets_as_many_seeds() -> None:
    result = search(over={"temperature": [1.0, 2.0, 4.0]}, trials=3)
    assert [t.settings for t in result.of("control")] == [{}, {}, {}]
    assert len({t.score for t in result.of("control")} | {t.loss for t in result.of("control")}) > 2


def test_epochs_are_searched_without_halving() -> None:
    result = search(over={"epochs": [2, 8]}, trials=5, epochs=None)
    assert len(result.of("student")) == 2
    assert {t.rounds for t in result.trials} == {1}
    assert sorted(t.updates for t in result.of("control")) == [8, 32]
    assert any("only 2 combinations" in n for n in result.notes)


def test_a_share_of_the_training_rows_chooses_where_no_validation_rows_are_given() -> None:
    result = search(validation=None, trials=2)
    assert result.settings["validation_rows"] == 12
    assert any("20% of the training rows (12) chose" in n for n in result.notes)


def test_without_labels_there_is_no_control() -> None:
    result = limbeck.tune(
        teacher(), X[:60], into=student, **{"over": OVER} | QUICK
        | {"validation": X[60:120], "test": X[120:]},
    )  # fmt: skip
    assert result.of("control") == []
    assert result.selection.count("did best") == 1


@pytest.mark.slow
def test_bayesian_search_is_the_same_for_the_same_seed() -> None:
    pytest.importorskip("optuna")
    from scipy.stats import loguniform

    given: dict[str, Any] = {"over": {"lr": loguniform(1e-4, 1e-1)}, "search": "bayesian"}
    one, two = (search(**given, trials=4) for _ in range(2))
    assert one.trials == two.trials
    assert len({t.settings["lr"] for t in one.of("student")}) == 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"over": {}}, "nothing to search over"),
        ({"over": {"lrr": [0.1]}}, "Did you mean 'lr'"),
        ({"over": {"lr": [0.1, -1.0]}}, "lr is -1"),
        ({"over": {"lr": [0.1]}, "lr": 0.2}, "given a value, and is searched"),
        ({"over": {"max_steps": [3]}}, "Give epochs="),
        ({"over": {"callbacks": [[]]}}, "changes no student"),
        ({"over": {"temperature": [1.0]}, "objective": TeacherLabels()}, "have none"),
        ({"over": {"teacher_weight": [2.0]}}, "shares from 0 to 1"),
        ({"over": {"teacher_weight": [0.5]}, "objective": SoftTargets()}, "of one kind"),
        ({"over": {"weights": [(1.0,)]}}, "has 2 terms"),
        ({"trials": 0}, "trials"),
        ({"eta": 1}, "eta"),
        ({"search": "grid"}, "search is 'grid'"),
        ({"validation": 0}, "no validation rows"),
        ({"control": False}, "control was given"),
        ({"into": [student, student]}, "2 students"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_any_work(given: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        limbeck.tune(teacher(), (X[:60], Y[:60]), **{"over": OVER, "into": student} | QUICK | given)
