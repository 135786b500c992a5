from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from torch import nn

import limbeck
from limbeck.core.errors import AccessDenied, InvalidInput, TeacherFailed
from limbeck.signal.transforms import (
    Components,
    Fourier,
    GraphFourier,
    GraphWavelets,
    Own,
    Topics,
    Transform,
    Wavelet,
)
from limbeck.signal.transforms.reading import batches
from limbeck.teachers import CallableTeacher, StoredScores

CHAIN = np.eye(24, k=1) + np.eye(24, k=-1)
EXACT = [
    Wavelet("db3", levels=2),
    Wavelet("sym4", levels=2, boundary="symmetric"),
    Wavelet("db2", levels=3, boundary="zero"),
    Fourier(),
    Components(),
    GraphFourier(CHAIN),
    GraphWavelets(CHAIN, scales=3),
]
LOSSY = [
    Components(3),
    Topics(2),
    Own(lambda x: x[:, ::2], lambda s: torch.sinh(s.repeat_interleave(2, 1) / 4)),
]


def network(outputs: int = 1, inputs: int = 24, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(inputs, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, outputs)
        ).double()


def signals(n: int = 9, shape: tuple[int, ...] = (24,), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, 1, size=(n, *shape))


class Through(nn.Module):
    """f'(s) as a module, for captum."""

    def __init__(self, net: nn.Module, transform: Transform) -> None:
        super().__init__()
        self.net, self.transform = net, transform

    def forward(self, s: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        return self.net(self.transform.inverse(s) + residual)


@pytest.mark.parametrize("transform", EXACT + LOSSY, ids=repr)
def test_the_model_read_through_a_transform_answers_as_the_model(transform):
    X, net = signals(), network().eval()
    transform.fit(X)
    for _, x, s, residual in batches(transform, X, 4):
        through = Through(net, transform)(s, residual)
        torch.testing.assert_close(through, net(x), atol=1e-12, rtol=1e-12)
        if transform in EXACT:
            assert residual.abs().max() < 1e-8
        else:
            assert residual.abs().max() > 0.1


def test_float32_inputs_come_back_to_the_last_bit():
    X = signals().astype(np.float32)
    transform = Components(2).fit(X)
    for _, x, s, residual in batches(transform, X.astype(float), 4):
        assert torch.equal((transform.inverse(s) + residual).float(), x.float())


@pytest.mark.parametrize("transform", EXACT + LOSSY, ids=repr)
@pytest.mark.parametrize(
    ("way", "peer", "options"),
    [
        ("saliency", "Saliency", {"abs": False}),
        ("input_x_gradient", "InputXGradient", {}),
        ("integrated_gradients", "IntegratedGradients", {}),
    ],
)
def test_attributions_are_those_of_captum(transform, way, peer, options):
    captum = pytest.importorskip("captum.attr")
    X, net = signals(4), network(3).eval()
    transform.fit(X)
    found = limbeck.trim(net, X, transform=transform, attribution=way)
    x = torch.from_numpy(X)
    s = transform.forward(x)
    residual = x - transform.inverse(s)
    inside = s.clone().requires_grad_()
    target = net(x).argmax(dim=1)
    wanted = getattr(captum, peer)(Through(net, transform)).attribute(
        inside, target=target, additional_forward_args=(residual.detach(),), **options
    )
    np.testing.assert_allclose(found.scores, wanted.detach().numpy(), atol=1e-9)
    np.testing.assert_array_equal(found.outputs, target)


def test_the_gradient_of_orthogonal_coefficients_is_the_transform_of_the_gradient():
    X, w = signals(), np.random.default_rng(1).normal(size=24)
    net = nn.Linear(24, 1).double()
    net.weight.data[:] = torch.from_numpy(w)
    transform = Wavelet("db4", levels=2).fit(X)
    found = limbeck.trim(net, X, transform=transform)
    row = transform.forward(torch.from_numpy(w[None])).numpy()
    np.testing.assert_allclose(found.scores, np.repeat(row, 9, axis=0), atol=1e-12)


@pytest.mark.parametrize("transform", [Wavelet("db2", levels=2), Components(4), Topics(2)])
def test_integrated_gradients_sum_to_what_the_coefficients_change(transform):
    X, net = signals(), network().eval()
    transform.fit(X)
    found = limbeck.trim(net, X, transform=transform, attribution="integrated_gradients")
    for part, x, s, residual in batches(transform, X, 100):
        change = net(x) - net(transform.inverse(0 * s) + residual)
        sums = found.scores[part].sum(axis=1)
        np.testing.assert_allclose(sums, change[:, 0].detach().numpy(), atol=1e-8)


@pytest.mark.parametrize("transform", EXACT + LOSSY, ids=repr)
def test_differences_are_slopes(transform):
    X, net = signals(5), network().eval()
    by_gradient = limbeck.trim(net, X, transform=transform)
    by_queries = limbeck.trim(
        lambda X: net(torch.from_numpy(X)).detach().numpy()[:, 0],
        X, transform=transform, step=1e-4, batch_size=7,
    )  # fmt: skip
    assert by_gradient.attribution == "saliency"
    assert by_queries.attribution == "differences"
    size = np.abs(by_gradient.scores).max()
    np.testing.assert_allclose(by_queries.scores, by_gradient.scores, atol=1e-4 * size)


@pytest.mark.parametrize("way", ["saliency", "integrated_gradients", "differences"])
@pytest.mark.parametrize("shape", [(1, 25), (2, 13), (2, 5, 6)])
def test_channels_odd_lengths_pictures_and_one_row_at_a_time(way, shape):
    X = signals(3, shape)
    X[:, 0] = 0.0  # an all-zero channel
    net = nn.Sequential(nn.Flatten(), network(2, int(np.prod(shape))))
    transform = Wavelet("db2", levels=1)
    given = {"transform": transform, "attribution": way, "steps": 16}
    whole, each = (limbeck.trim(net, X, batch_size=b, **given) for b in (10, 1))
    np.testing.assert_allclose(whole.scores, each.scores, atol=1e-9)
    one = limbeck.trim(net, X[:1], step=1e-3, **given)
    np.testing.assert_allclose(one.scores, whole.scores[:1], rtol=1e-3, atol=1e-4)
    assert not transform.fitted  # a copy was


def test_any_kind_of_model():
    X = signals(60)
    y = X[:, 3] + X[:, 4]
    transform = Wavelet("haar", levels=2)
    forest = RandomForestRegressor(30, random_state=0).fit(X, y)
    found = limbeck.trim(forest, X, transform=transform, step=0.5)
    size = np.abs(found.scores).mean(axis=0)
    atoms = transform.fit(X).inverse(torch.eye(24, dtype=torch.float64)).numpy()
    useful = np.abs(atoms[:, 3:5]).sum(axis=1) > 1e-9
    assert size[useful].min() > 5 * size[~useful].max()
    frame = pd.DataFrame(X, columns=[f"t{i}" for i in range(24)])
    model = LogisticRegression().fit(frame, y > y.mean())  # warns if asked without names
    named = limbeck.trim(model, frame, transform=transform)
    assert set(named.outputs) == {0, 1}  # the class that wins
    teacher = CallableTeacher(lambda X: X[:, :2], classes=["a", "b"], score_kind="logit")
    assert limbeck.trim(teacher, X, transform=transform, output=0).model == "<lambda>"


def test_one_logit_for_two_classes_is_explained_itself():
    X = signals(5)
    net = network()
    teacher = limbeck.as_teacher(net, classes=["no", "yes"], score_kind="logit")
    logit = limbeck.trim(net, X, transform=Fourier())
    np.testing.assert_allclose(
        limbeck.trim(teacher, X, transform=Fourier()).scores, logit.scores, atol=1e-12
    )


@pytest.mark.parametrize("module", [nn.LSTM, nn.GRU])
def test_recurrent_networks_stay_as_they_were(module):
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = module(1, 5, batch_first=True, num_layers=2, dropout=0.9)
            self.out = nn.Linear(5, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(self.cells(x[..., None])[0][:, -1])

    net = Reader()
    net.out.eval()
    modes = [m.training for m in net.modules()]
    first, again = (limbeck.trim(net, signals(), transform=Fourier()).scores for _ in range(2))
    np.testing.assert_array_equal(first, again)  # no dropout
    assert [m.training for m in net.modules()] == modes
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in net.modules())


class Step(nn.Module):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.out = way, nn.Linear(24, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.way == "detach":
            x = x.detach()
        elif self.way == "sign":
            x = torch.sign(x - 2)
        else:
            x = torch.from_numpy(x.numpy())
        return self.out(x)


@pytest.mark.parametrize("way", ["detach", "sign"])
def test_a_step_without_a_gradient_is_named_with_its_remedy(way):
    with pytest.raises(InvalidInput, match=r'zero for all 9 rows.*attribution="differences"'):
        limbeck.trim(Step(way), signals(), transform=Fourier())
    found = limbeck.trim(Step(way), signals(), transform=Fourier(), attribution="differences",
                         step=1.0)  # fmt: skip
    assert found.scores.any()


def test_a_step_that_raises_is_named_with_its_remedy():
    with pytest.raises(TeacherFailed, match=r'Step raised RuntimeError.*"differences"'):
        limbeck.trim(Step("numpy"), signals(), transform=Fourier())


def test_zero_signals_are_not_taken_for_a_zero_gradient():
    found = limbeck.trim(
        network(), np.zeros((2, 24)), transform=Fourier(), attribution="input_x_gradient"
    )
    assert not found.scores.any()
    assert found.inverse_error == 0.0


def test_an_inverse_that_does_not_invert_shows_its_error():
    X, net = signals(), network().eval()
    third = Own(lambda x: x, lambda s: 0.75 * s)
    found = limbeck.trim(net, X, transform=third)
    assert found.inverse_error == pytest.approx(0.25)
    assert "misses 25.00% of their size" in str(found)
    g = limbeck.as_teacher(net, regression=True).gradient(X, 0)
    np.testing.assert_allclose(found.scores, 0.75 * g, atol=1e-12)
    assert "gives the rows back" in str(limbeck.trim(net, X, transform=Fourier()))


def test_an_inverse_without_gradient_is_refused_where_one_is_needed():
    cut = Own(lambda x: x, lambda s: s.detach())
    with pytest.raises(InvalidInput, match="cannot be differentiated"):
        limbeck.trim(network(), signals(), transform=cut)
    assert limbeck.trim(network(), signals(), transform=cut, attribution="differences").scores.any()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"attribution": "lime"}, "attribution is 'lime'"),
        ({"output": 3}, "no output 3. Give one from 0 to 2"),
        ({"output": -1}, "no output -1"),
        ({"output": True}, "no output True"),
        ({"steps": 0}, "steps is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"step": float("nan")}, "step is nan"),
        ({"X": np.full((2, 24), np.nan)}, "Row 0 holds 24 values that are missing"),
        ({"X": np.ones((2, 25))}, "fitted for rows"),
    ],
)
def test_what_cannot_be_used_is_refused_first(change, problem):
    given = {"X": signals(), "transform": Fourier().fit(signals()), **change}
    asked = []
    net = network(3)
    net.register_forward_hook(lambda *a: asked.append(1))
    with pytest.raises(InvalidInput, match=problem):
        limbeck.trim(net, given.pop("X"), **given)
    assert len(asked) <= 1  # for the number of outputs


def test_models_that_grant_too_little():
    X = signals()
    with pytest.raises(AccessDenied, match=r"no gradients.*differences"):
        limbeck.trim(lambda X: X[:, 0], X, transform=Fourier(), attribution="saliency")
    with pytest.raises(AccessDenied, match="stored rows only"):
        limbeck.trim(StoredScores(X, X[:, 0], score_kind="value"), X, transform=Fourier())


def test_attributions_by_band_and_the_table():
    X = signals(30)
    net = network()
    found = limbeck.trim(net, X, transform=Wavelet("haar", levels=3))
    by_band = found.by_band()
    assert list(by_band) == ["approximation 3", "detail 3", "detail 2", "detail 1"]
    assert sum(by_band.values()) == pytest.approx(np.abs(found.scores).mean(axis=0).sum())
    assert by_band["detail 1"] == pytest.approx(np.abs(found.scores[:, 12:]).sum(axis=1).mean())
    text = str(found)
    assert all(name in text for name in by_band)
    assert "saliency of 24 coefficients, 30 rows" in text
    assert repr(found) == text
    narrow = Console(width=80, file=io.StringIO())
    with narrow.capture() as capture:
        narrow.print(found)
    assert max(map(len, capture.get().splitlines())) <= 80
    page = found._repr_html_()
    assert re.search(r"<svg[^>]*viewBox", page)
    assert page.count("<div") == page.count("</div")


def test_a_transform_by_its_name():
    named = {"db5": Wavelet("db5"), "fourier": Fourier(), "components": Components()}
    for name, same in named.items():
        found = limbeck.trim(network(), signals(), transform=name)
        np.testing.assert_allclose(found.scores, limbeck.trim(network(), signals(),
                                                              transform=same).scores)  # fmt: skip
    with pytest.raises(InvalidInput, match="'db77' is not among the orthogonal wavelets"):
        limbeck.trim(network(), signals(), transform="db77")
    with pytest.raises(InvalidInput, match=r"Give Wavelet\(\.\.\.\)"):
        limbeck.trim(network(), signals(), transform=Wavelet)
    with pytest.raises(InvalidInput, match="transform is 5"):
        limbeck.trim(network(), signals(), transform=5)


def test_a_step_too_small_for_a_forest_is_told():
    rows = signals(60, (8,))
    forest = RandomForestRegressor(20, max_depth=3, random_state=0).fit(
        rows, rows[:, :4].sum(axis=1)
    )
    with pytest.raises(InvalidInput, match=r"step is too small.*step=1"):
        limbeck.trim(forest, rows, transform="haar", step=1e-9)
    small = limbeck.trim(forest, rows, transform="haar", step=0.01)
    assert small.still > 0.5
    assert "The step of 0.01 is small for this model" in str(small)
    assert "Give a larger step" in small._repr_html_()
    large = limbeck.trim(forest, rows, transform="haar", step=2.0)
    assert large.still < small.still
    assert "is small for this model" not in str(large)
    smooth = limbeck.trim(lambda x: x[:, :4].sum(axis=1), rows, transform="haar")
    assert smooth.attribution == "differences"
    assert smooth.still == 0.0
