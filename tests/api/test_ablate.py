from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.api.ablate import ablate  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.evaluation.networks import ask, right  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.losses.hidden import HiddenStates  # noqa: E402
from limbeck.networks.losses.labels import GoldLabels  # noqa: E402
from limbeck.networks.losses.loss import Objective  # noqa: E402
from limbeck.networks.losses.probabilities import SoftTargets  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch
RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 4)).astype(np.float32)
TRUTH = (X[:, 0] * X[:, 1] > 0).astype(np.int64)


class Knows(nn.Module):
    """A teacher that knows the truth."""

    def forward(self, x):
        z = 4 * x[:, 0] * x[:, 1]
        return torch.stack([-z, z], 1)


def student():
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))


NOISE = RNG.integers(0, 2, 300)  # labels of the training rows say nothing
SETTINGS = {"epochs": 30, "batch_size": 50, "lr": 0.03, "seeds": 2}


@pytest.fixture(scope="module")
def found():
    return ablate(
        Knows(), X[:300], NOISE, into=student, validation=(X[300:], TRUTH[300:]),
        objective=SoftTargets(temperature=1.0) + 0.1 * GoldLabels(), **SETTINGS,
    )  # fmt: skip


def test_the_teacher_brings_much_and_noise_as_labels_nothing(found):
    assert [p.name for p in found.parts] == ["SoftTargets", "GoldLabels"]
    soft, gold = found.parts
    assert soft.brings.value > 0.3
    assert soft.brings.low > 0  # two seeds alone make it wide
    assert soft.brings.verdict == "helped"
    assert soft.score.value < 0.65 < found.full.value
    assert gold.brings.value < 0.05
    assert soft.agreement.value == soft.gain.value  # the teacher is always right here


def test_gains_are_those_of_students_trained_by_hand():
    found = ablate(
        Knows(), X[:300], NOISE, into=student, validation=(X[300:], TRUTH[300:]),
        objective=SoftTargets(temperature=1.0) + 0.1 * GoldLabels(), **SETTINGS | {"epochs": 3},
    )  # fmt: skip
    task = Task.of("classification", 2)
    rows = Samples.of((X[:300], NOISE), batch_size=50).aimed(task)
    aside = Samples.of((X[300:], TRUTH[300:])).aimed(task)
    training = Training(epochs=3, batch_size=50, lr=0.03)

    def mean(objective, teacher):
        scores = []
        for seed in (0, 1):
            torch.manual_seed(seed)
            net = student()
            net = train(
                net, rows, objective, task, training=training, seed=seed, teacher=teacher
            ).module
            scores.append(right(ask(net, aside.batches(range(300), 50), task)).mean())
        return np.mean(scores)

    both = mean(SoftTargets(temperature=1.0) + 0.1 * GoldLabels(), Knows())
    alone = mean(Objective.of(0.1 * GoldLabels()), None)
    assert found.full.value == pytest.approx(both)
    assert found.parts[0].gain.value == pytest.approx(both - alone)


def test_it_prints_the_ranking(found):
    text = str(found)
    assert text.index("SoftTargets") < text.index("GoldLabels")
    assert "brings something" in text
    assert "2 seeds, 300 validation rows" in text
    assert '<span class="name">SoftTargets</span>' in found._repr_html_()


def test_pairs_of_layers_rows_and_no_labels():
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    found = ablate(
        teacher, X, into=student, objective=SoftTargets() + HiddenStates({"1": "0", "3": "1"}),
        seeds=1, epochs=1, rows=40, batch_size=20, delta=0.2,
    )  # fmt: skip
    assert {p.name for p in found.parts} == {
        "SoftTargets", "HiddenStates", "HiddenStates: 1 → 0", "HiddenStates: 3 → 1",
    }  # fmt: skip
    assert all(p.gain is None and p.agreement is not None for p in found.parts)
    assert found.rows == 180  # 30% set aside
    assert "One seed" in str(found)


def test_what_it_refuses():
    given = {"into": student, "objective": SoftTargets() + GoldLabels()}
    with pytest.raises(InvalidInput, match="no setting 'epoch'"):
        ablate(Knows(), X, TRUTH, **given, epoch=3)
    with pytest.raises(InvalidInput, match="reads labels"):
        ablate(Knows(), X, **given)
    with pytest.raises(InvalidInput, match="alone"):
        ablate(Knows(), X, TRUTH, into=student, objective=SoftTargets())
    with pytest.raises(InvalidInput, match="seeds is 0"):
        ablate(Knows(), X, TRUTH, **given, seeds=0)


def test_validation_rows_that_train_are_refused():
    with pytest.raises(InvalidInput, match="20 of the 300 validation rows are among the training"):
        ablate(Knows(), X[:300], NOISE, into=student, validation=(X[280:580], TRUTH[280:580]),
               objective=SoftTargets() + GoldLabels())  # fmt: skip


def test_students_that_were_trained_too_short_say_nothing_of_the_parts():
    short = ablate(
        Knows(), X[:300], TRUTH[:300], into=student, validation=(X[300:], TRUTH[300:]),
        objective=SoftTargets(temperature=1.0) + 0.1 * GoldLabels(), epochs=12, batch_size=50,
        lr=1e-3, seeds=1,
    )  # fmt: skip
    assert "Trained too short: the loss still falls by" in short.untrained
    assert "Try epochs=167." in short.untrained  # 1,000 updates of 6 an epoch
    assert short.untrained in " ".join(str(short).split())
    assert "brings something" not in str(short)


def test_by_default_a_thousand_updates_are_made(monkeypatch):
    monkeypatch.setattr("limbeck.api.ablate._UPDATES", 20)
    made = []
    monkeypatch.setattr(
        "limbeck.api.ablate.train",
        lambda *args, training, **given: made.append(training) or train(
            *args, training=training, **given
        ),
    )  # fmt: skip
    ablate(Knows(), X[:300], NOISE, into=student, validation=(X[300:], TRUTH[300:]),
           objective=SoftTargets() + GoldLabels(), seeds=1)  # fmt: skip
    assert {t.epochs for t in made} == {10}  # of 2 full batches


def test_the_ranking_is_a_frame_and_is_drawn(found):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    frame = found.to_frame()
    assert frame["without"].tolist() == ["nothing", *(p.name for p in found.parts)]
    assert frame["gain_low"].tolist()[1:] == [p.gain.low for p in found.parts]
    ax = found.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == [p.name for p in found.parts]
    drawn = [float(x) for x in ax.containers[0][0].get_xdata()]
    assert drawn == [p.gain.value for p in found.parts]
    plt.close("all")
