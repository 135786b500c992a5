from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.analysis.matching import Pairs, _rising, cka, propose_pairs  # noqa: E402
from limbeck.networks.losses.hidden import HiddenStates  # noqa: E402

pytestmark = pytest.mark.torch


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def hsic_by_u_statistic(k, m):
    """Song et al. 2012: the mean over ordered quadruples of different rows."""
    n = len(k)
    total = count = 0.0
    for i in range(n):
        for j in range(n):
            for q in range(n):
                for r in range(n):
                    if len({i, j, q, r}) == 4:
                        total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
                        count += 1
    return total / count


def test_value_against_the_u_statistic():
    x, y = draw(7, 5), draw(7, 3, seed=1) + draw(7, 5)[:, :3]
    k, m = (x @ x.T).numpy(), (y @ y.T).numpy()
    expected = hsic_by_u_statistic(k, m) / np.sqrt(
        hsic_by_u_statistic(k, k) * hsic_by_u_statistic(m, m)
    )
    assert cka(x, y) == pytest.approx(expected, rel=1e-10)


def test_it_nears_the_biased_formula_of_features_with_many_rows():
    # Kornblith et al. 2019, in features rather than in rows.
    x = draw(1500, 4)
    y = torch.cat([x[:, :2] @ draw(2, 3, seed=1), draw(1500, 2, seed=2)], 1)
    a, b = x - x.mean(0), y - y.mean(0)
    feature = (b.T @ a).norm() ** 2 / ((a.T @ a).norm() * (b.T @ b).norm())
    assert cka(x, y) == pytest.approx(float(feature), abs=3e-3)


def test_rotation_scale_and_shift_change_nothing():
    x, y = draw(30, 6), torch.tanh(draw(30, 6) @ draw(6, 9, seed=1))
    turn = torch.linalg.qr(draw(6, 6, seed=2))[0]
    value = cka(x, y)
    assert 0.1 < value < 0.99
    assert cka(3.7 * x @ turn + 5, y) == pytest.approx(value, rel=1e-9)
    assert cka(x, 3.7 * x @ turn - 2) == pytest.approx(1.0, rel=1e-9)
    assert cka(y, x) == pytest.approx(value, rel=1e-12)


def test_unrelated_layers_of_many_units_are_not_alike():
    values = [cka(draw(20, 500, seed=s), draw(20, 500, seed=100 + s)) for s in range(30)]
    assert abs(np.mean(values)) < 0.05  # the biased estimate is 0.96 here


def test_a_constant_layer_is_like_nothing():
    assert cka(torch.ones(9, 3), draw(9, 3)) == 0.0


def test_too_few_or_other_rows_are_refused():
    with pytest.raises(InvalidInput, match="3 and 3 rows"):
        cka(draw(3, 2), draw(3, 2))
    with pytest.raises(InvalidInput, match="5 and 6 rows"):
        cka(draw(5, 2), draw(6, 2))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda n: st.integers(1, 5).flatmap(
            lambda m: st.lists(
                st.lists(st.floats(-1, 1), min_size=m, max_size=m), min_size=n, max_size=n
            )
        )
    )
)
def test_the_pairs_have_the_largest_total(similarity):
    n, m = len(similarity), len(similarity[0])
    size = min(n, m)
    best = max(
        sum(similarity[i][j] for i, j in zip(a, b, strict=True))
        for a in combinations(range(n), size)
        for b in combinations(range(m), size)
    )
    found = _rising(similarity)
    assert sum(similarity[i][j] for i, j in found) == pytest.approx(best)
    assert len(found) == size
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))


class Chain(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(6, 2).double()

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x)


def chains():
    torch.manual_seed(0)
    layers = [nn.Linear(6, 6).double() for _ in range(5)]
    for layer in layers:
        layer.weight.data.mul_(4)  # strongly curved, so that layers differ
    return Chain(layers), Chain([layers[0], layers[1]])


def test_a_network_is_paired_with_itself():
    teacher, _ = chains()
    pairs = propose_pairs(teacher, teacher, draw(60, 6))
    assert dict(pairs) == {f"layers.{i}": f"layers.{i}" for i in range(5)}
    assert all(pairs.similarity[i][i] == pytest.approx(1.0) for i in range(5))


def test_the_first_layers_of_a_teacher_are_found():
    teacher, student = chains()
    teacher.train()
    student.eval()
    pairs = propose_pairs(teacher, student, draw(60, 6))
    assert dict(pairs) == {"layers.0": "layers.0", "layers.1": "layers.1"}
    assert teacher.training
    assert not student.training
    assert HiddenStates(pairs).needs.teacher_layers == ("layers.0", "layers.1")
    text = str(pairs)
    assert text.count("1.000*") == 2
    assert "60 rows" in text
    assert "1.000*" in pairs._repr_html_()
    assert repr(pairs) == "{'layers.0': 'layers.0', 'layers.1': 'layers.1'}"


def test_batches_are_averaged():
    teacher, student = chains()
    batches = [draw(50, 6, seed=s) for s in range(8)]
    many = propose_pairs(teacher, student, batches)
    once = propose_pairs(teacher, student, torch.cat(batches))
    assert many.rows == once.rows == 400
    assert np.allclose(many.similarity, once.similarity, atol=0.05)


def test_layers_may_be_named():
    teacher, student = chains()
    pairs = propose_pairs(
        teacher, student, draw(30, 6), teacher_layers=["layers.3", "head"], student_layers=["head"]
    )
    assert pairs.teacher_layers == ("layers.3", "head")
    assert list(pairs.values()) == ["head"]
    with pytest.raises(InvalidInput, match=r"layers\.9"):
        propose_pairs(teacher, student, draw(30, 6), teacher_layers=["layers.9"])


def test_transformers_and_padding():
    from transformers import BertConfig, BertForSequenceClassification

    def bert(layers):
        torch.manual_seed(layers)
        return BertForSequenceClassification(
            BertConfig(
                num_hidden_layers=layers, hidden_size=8, num_attention_heads=2,
                intermediate_size=16, vocab_size=30, max_position_embeddings=16,
            )
        )  # fmt: skip

    teacher, student = bert(4), bert(2)
    ids = torch.randint(0, 30, (12, 6), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[:, 4:] = 0
    pairs = propose_pairs(teacher, student, {"input_ids": ids, "attention_mask": mask})
    assert pairs.teacher_layers == tuple(f"bert.encoder.layer.{i}" for i in range(4))
    assert len(pairs) == 2
    other = ids.clone()
    other[:, 4:] = 7
    again = propose_pairs(teacher, student, {"input_ids": other, "attention_mask": mask})
    assert np.allclose(pairs.similarity, again.similarity, atol=1e-6)


def test_what_it_refuses():
    with pytest.raises(InvalidInput, match="no layers to compare"):
        propose_pairs(nn.ReLU(), nn.ReLU(), draw(5, 2))
    teacher, student = chains()
    with pytest.raises(InvalidInput, match="3 rows"):
        propose_pairs(teacher, student, draw(3, 6))


def test_pairs_are_a_frame_and_a_map() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    found = (("a", "b"), ("$x$", "y", "z"), ((0.9, 0.1, 0.2), (0.3, 0.4, 0.8)))
    pairs = Pairs(*found, {"a": "$x$", "b": "z"}, 10)
    frame = pairs.to_frame()
    assert frame["$x$"].tolist() == [0.9, 0.3]
    ax = pairs.plot()
    ax.figure.canvas.draw()
    np.testing.assert_allclose(ax.images[0].get_array(), found[2])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["$x$", "y", "z"]
    (frames,) = ax.lines
    assert list(zip(frames.get_xdata(), frames.get_ydata(), strict=True)) == [(0, 0), (2, 1)]
    plt.close("all")
