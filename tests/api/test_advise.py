from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import limbeck  # noqa: E402
from limbeck.api.advise import advise  # noqa: E402
from limbeck.core.errors import InvalidInput, LimbeckError  # noqa: E402
from limbeck.networks.losses.labels import GoldLabels  # noqa: E402

pytestmark = pytest.mark.torch
RNG = np.random.default_rng(0)
X = RNG.normal(size=(900, 4)).astype(np.float32)
TRUTH = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
NOISY = np.where(RNG.random(900) < 0.35, 1 - TRUTH, TRUTH)  # labels of which a third are wrong


class Knows(nn.Module):
    """A teacher that knows the truth."""

    def forward(self, x):
        z = 4 * x[:, 0] * x[:, 1]
        return torch.stack([-z, z], 1)


class Guesses(nn.Module):
    """A teacher that knows nothing."""

    def forward(self, x):
        z = 4 * x[:, 2]
        return torch.stack([-z, z], 1)


def student():
    return nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))


SETTINGS = {"epochs": 8, "batch_size": 40, "lr": 0.06, "seeds": 2}
GIVEN = {"into": student, "validation": (X[400:], TRUTH[400:]), "budget": "600 s", **SETTINGS}


@pytest.fixture(autouse=True, scope="module")
def few_seeds():
    """No more seeds than asked for where time is left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limbeck.selection.pilot_budget._MOST_SEEDS", 2)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("advice")


@pytest.fixture(scope="module")
def found(folder):
    return advise(Knows(), X[:200], NOISY[:200], out=folder, **GIVEN)


def test_a_teacher_that_knows_more_than_noisy_labels_pays(found):
    assert [o.name for o in found.outlooks] == [
        "these data", "twice the inputs", "four times the epochs", "a student twice the size",
    ]  # fmt: skip
    now = found.now
    assert now.gain.value > 0.05
    assert now.student.value > now.control.value
    assert now.verdict == "pays"
    assert found.sentence.startswith("Distil")
    assert found.code.startswith("limbeck.distill(teacher, data, into=student, epochs=8")
    assert found.teacher.value == 1.0
    assert found.outlooks[2].epochs == 32
    assert found.outlooks[1].rows == 400


def test_the_line_to_run_next_runs_and_measures_what_was_forecast(found):
    names = {"limbeck": limbeck, "teacher": Knows(), "data": (X[:200], NOISY[:200]),
             "student": student}  # fmt: skip
    code = found.code.replace(")", ", validation=0, test=given, timing=False, baseline=False)")
    result = eval(code, names | {"given": (X[400:], TRUTH[400:])})
    gain = next(d for d in result.comparison.differences if "labels" in d.what)
    assert found.now.gain.low <= gain.value <= found.now.gain.high


def test_a_run_goes_on_and_is_loaded(found, folder, monkeypatch):
    monkeypatch.setattr("limbeck.networks.strategies.train_network.train", None)  # nothing to do
    again = advise(Knows(), X[:200], NOISY[:200], out=folder, **GIVEN)
    assert str(again) == str(found)
    assert str(limbeck.load(folder)) == str(found)
    with pytest.raises(LimbeckError, match="other teacher"):
        advise(Guesses(), X[:200], NOISY[:200], out=folder, **GIVEN)


def test_no_teacher_worth_it_is_said():
    told = advise(Guesses(), X[:120], TRUTH[:120], **{**GIVEN, "epochs": 4})
    assert told.best.verdict in ("no evidence", "hurts")
    assert "labels alone" in told.sentence or "cannot tell" in told.sentence
    assert "Distil:" not in told.sentence


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"budget": "0.001 s"}, "too short for one pair of runs"),
        ({"budget": "soon"}, "budget is 'soon'"),
        ({"seeds": 1}, "seeds"),
        ({"objective": GoldLabels()}, "gold labels alone"),
        ({"into": [student, student]}, "several students"),
        ({"unlabelled": X[300:400, :3]}, r"shape \(3,\) per row, and the training inputs"),
        ({"unlabelled": (X[300:400], TRUTH[300:400])}, "100 samples with labels"),
        ({"metrics": {"f": lambda o, y: 0.0}}, "metrics"),
        ({"validation": (X[400:430], np.where(np.arange(30) < 20, TRUTH[400:430], -1))}, "20 rows"),
        ({"epoch": 3}, "epochs"),
        ({"validation": (X[400:402], TRUTH[400:402])}, "2 validation rows"),
        ({"validation": (X[:200], TRUTH[:200])}, "validation rows are among the training rows"),
    ],
)
def test_refused_before_any_work(changed, said):
    with pytest.raises(InvalidInput, match=said):
        advise(Knows(), X[:300], TRUTH[:300], **{**GIVEN, **changed})


@pytest.mark.slow
def test_the_time_that_is_asked_for_is_enough():
    given = {**GIVEN, "epochs": 16, "budget": "0.3 s"}
    short = advise(Knows(), X[:200], TRUTH[:200], **given)
    assert short.now.doublings
    enough = 1.5 * short.settings["enough"]
    assert not advise(Knows(), X[:200], TRUTH[:200], **{**given, "budget": enough}).now.doublings


def test_a_pilot_that_diverges_names_the_student_and_the_remedy():
    given = {**GIVEN, "budget": "5 s", "epochs": 2, "lr": 1e30}
    with pytest.raises(InvalidInput, match=r"diverged after \d+ updates.*Lower lr|loss of .* is"):
        advise(Knows(), X[:200], TRUTH[:200], **given)


def test_a_pilot_in_which_nothing_was_learned_says_so():
    given = {**GIVEN, "budget": "5 s", "epochs": 2, "lr": 1e-7}
    told = advise(Knows(), X[:200], TRUTH[:200], **given)
    assert any("Nothing was learned yet" in note for note in told.notes)


def test_data_without_labels_have_no_control():
    with pytest.raises(InvalidInput, match="no labels"):
        advise(Knows(), X[:300], **GIVEN)


def test_rows_to_measure_on_are_set_aside_and_said():
    more = {**GIVEN, "validation": None, "budget": "1 s", "epochs": 2}
    told = advise(lambda x: Knows()(x), X[:200], TRUTH[:200], **more)
    assert told.settings["measured_rows"] == 60
    assert "30% of the rows (60) were set aside" in told.notes[0]


def test_inputs_without_labels_teach_the_student_and_not_its_control():
    given = {**GIVEN, "epochs": 3, "budget": "60 s"}
    few = {"data": X[:60], "y": NOISY[:60]}
    told = advise(Knows(), **few, unlabelled=X[60:300], **given)
    assert told.settings["rows"] == 300
    assert told.settings["unlabelled"] == 240
    assert told.now.gain.value > 0.1
    assert "unlabelled=more_inputs" in told.code
    assert any("240 inputs without labels" in note for note in told.notes)
    with pytest.raises(InvalidInput, match="among the unlabelled"):
        advise(Knows(), **few, unlabelled=X[300:500], **given)


RUN = """
teacher: {name}:teacher
student: {name}:student
train: {name}:data
validation: {name}:held
test: {name}:test
objective: [{{name: SoftTargets, weight: 0.9, temperature: 4}}, {{name: GoldLabels, weight: 0.1}}]
epochs: 2
batch_size: 40
seeds: 2
budget: 2 s
out: run
"""
MODULE = """
import numpy as np, torch
from torch import nn
X = np.random.default_rng(0).normal(size=(400, 4)).astype("float32")
y = (X[:, 0] > 0).astype("int64")
data, held, test = (X[:150], y[:150]), (X[150:250], y[150:250]), (X[250:], y[250:])
torch.manual_seed(0)
teacher = nn.Linear(4, 2)
def student():
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
"""


def test_a_pilot_follows_the_recipe_of_the_file(tmp_path, monkeypatch):
    from limbeck.api.advice_file import advised

    text = RUN.format(name="advised_recipe").replace("out: run", "recipe: patient\nout: run")
    kept = [x for x in text.splitlines() if not x.startswith("objective")]
    (tmp_path / "advised_recipe.py").write_text(MODULE)
    (tmp_path / "recipe.yaml").write_text("\n".join(kept))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = advised("recipe.yaml")
    assert "recipe='patient'" in found.code
    assert [x[:37] for x in found.settings["objective"]] == [
        "1.0 x SoftTargets(temperature=1.0, st"
    ]
    assert any("recipe 'patient' chose" in note for note in found.notes)
    assert '"mixup":1.0' in (tmp_path / "run/advice/pilot.json").read_text().replace(" ", "")


def test_an_unknown_recipe_is_refused():
    with pytest.raises(InvalidInput, match="recipe is 'hasty'"):
        advise(Knows(), X[:200], TRUTH[:200], recipe="hasty", **GIVEN)
