from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.certificates.binomial import interval  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.networks.analysis.causal import Agreement, causal_agreement  # noqa: E402

pytestmark = pytest.mark.torch


class Sums(nn.Module):
    """Logits (0, sum of the hidden units): the answer is the sign of what units add up to."""

    def __init__(self, weights):
        super().__init__()
        self.hidden = nn.Linear(2, 2, bias=False)
        self.hidden.weight.data = torch.tensor(weights)

    def forward(self, x):
        total = self.hidden(x).sum(-1)
        return torch.stack([torch.zeros_like(total), total], -1)


# Both answer sign(a + b); the student keeps a and b in the other order.
TEACHER = Sums([[1.0, 0.0], [0.0, 1.0]])
STUDENT = Sums([[0.0, 1.0], [1.0, 0.0]])
X = torch.randn(401, 2, generator=torch.Generator().manual_seed(1))
PAIR = ("hidden", "hidden")


def by_hand(x, seed, same_unit):
    """Sums after the exchange, from the same draw of bases and sources."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    half = len(x) // 2
    a, b = x[order[:half]], x[order[half : 2 * half]]
    teacher = b[:, 0] + a[:, 1] > 0
    student = (b[:, 0] + a[:, 1] if same_unit else a[:, 0] + b[:, 1]) > 0
    return teacher, student, a.sum(1) > 0


@pytest.mark.parametrize("same_unit", [True, False])
def test_counts_by_hand(same_unit):
    part = (slice(0, 1), slice(1, 2)) if same_unit else slice(0, 1)
    found = causal_agreement(TEACHER, STUDENT, X, {"hidden": "hidden"}, part=part, seed=3)
    teacher, student, plain = by_hand(X, 3, same_unit)
    moved = teacher != plain
    assert found.ordinary.same == found.ordinary.n == 200
    assert found.after[PAIR].same == int((teacher == student).sum())
    assert found.moved[PAIR].n == int(moved.sum()) > 20
    assert found.moved[PAIR].same == int((teacher == student)[moved].sum())
    if same_unit:
        assert found.after[PAIR].share == 1.0
    else:
        assert found.after[PAIR].share < 0.8  # although they always agree without intervention


def test_labels_that_hold_together_are_answered_by_the_sign():
    settings = {"pairs": {"hidden": "hidden"}, "part": slice(0, 1), "seed": 3}
    labels = Task.of("multilabel", 2)  # the first logit is 0, and never answers yes
    found = causal_agreement(TEACHER, STUDENT, X, **settings, task=labels)
    assert found == causal_agreement(TEACHER, STUDENT, X, **settings)


def test_the_interval_is_the_exact_one():
    assert Agreement(17, 20, 0.1).interval == interval(17, 20, 0.1)
    assert str(Agreement(0, 0, 0.05)) == "—"


def test_a_network_agrees_with_itself_and_keeps_its_modes():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 3)).train()
    found = causal_agreement(net, copy.deepcopy(net).eval(), X, {"0": "0"}, part=slice(0, 4))
    assert found.after["0", "0"].share == 1.0
    assert net.training
    assert not net[0]._forward_hooks


def test_batches_and_seeds():
    settings = {"part": slice(0, 1), "seed": 5}
    one, many, other = (
        causal_agreement(TEACHER, STUDENT, X, {"hidden": "hidden"}, **{**settings, **more})
        for more in ({"batch_size": 1000}, {"batch_size": 7}, {"seed": 6})
    )
    assert one == many
    assert one != other


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.mix = nn.Linear(4, 3)

    def forward(self, ids, attention_mask):
        seen = self.embed(ids) * attention_mask[..., None]
        return self.mix(seen + seen.mean(1, keepdim=True))


def test_tokens_that_are_not_there_do_not_count():
    torch.manual_seed(0)
    teacher, student = Tagger(), Tagger()
    ids = torch.randint(0, 10, (60, 5))
    mask = torch.ones_like(ids)
    mask[:, 3:] = 0
    task = Task.of("tokens", 3)
    found = causal_agreement(
        teacher, student, {"ids": ids, "attention_mask": mask}, {"embed": "embed"}, task=task
    )
    ids[:, 3:] = 0
    again = causal_agreement(
        teacher, student, {"ids": ids, "attention_mask": mask}, {"embed": "embed"}, task=task
    )
    assert found == again
    assert 0 < found.after["embed", "embed"].same < 30


def test_it_prints_itself():
    found = causal_agreement(TEACHER, STUDENT, X, {"hidden": "hidden"}, part=slice(0, 1))
    text = str(found)
    assert "200 interventions" in text
    assert str(found.after[PAIR]) in text
    assert "Without intervention: 1.000" in text


def test_what_it_refuses():
    with pytest.raises(InvalidInput, match="regression"):
        causal_agreement(TEACHER, STUDENT, X, {"hidden": "hidden"}, task=Task.of("regression", 2))
    with pytest.raises(InvalidInput, match="1 row"):
        causal_agreement(TEACHER, STUDENT, X[:1], {"hidden": "hidden"})
    with pytest.raises(InvalidInput, match="no layer 'hiden'"):
        causal_agreement(TEACHER, STUDENT, X, {"hiden": "hidden"})


def test_shares_are_a_frame_and_are_drawn_with_their_intervals():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    found = causal_agreement(TEACHER, STUDENT, X, {"hidden": "hidden"}, part=slice(0, 1))
    after = found.after[PAIR]
    frame = found.to_frame()
    assert frame["same_answer"].tolist() == [after.share]
    assert frame["same_answer_low"].tolist() == [after.interval[0]]
    ax = found.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["no intervention", "hidden\nhidden"]
    shares = ax.containers[0][0].get_xdata()
    assert [float(x) for x in shares] == [found.ordinary.share, after.share]
    plt.close("all")
