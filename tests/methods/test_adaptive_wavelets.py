"""The method end to end: the wavelet that is planted is found, and what cannot be is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

pywt = pytest.importorskip("pywt")
torch = pytest.importorskip("torch")

from limbeck.core.columns import Features  # noqa: E402
from limbeck.core.contract import Access, MethodResult  # noqa: E402
from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.progress import quiet  # noqa: E402
from limbeck.core.status import Status, StatusCode  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets  # noqa: E402
from limbeck.signal.wavelets.bank import analysis, analysis2  # noqa: E402
from limbeck.signal.wavelets.search import difference  # noqa: E402
from limbeck.teachers import as_teacher  # noqa: E402

DB2 = np.array(pywt.Wavelet("db2").rec_lo)
X = np.random.default_rng(0).standard_normal((200, 32))


class One(torch.nn.Module):
    """tanh of one db2 coefficient; or the scores c, -c and another's of three classes."""

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.low, self.classes = torch.nn.Parameter(torch.from_numpy(DB2)), classes
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        band = self.dropout(analysis(x[:, None], self.low, 2)[1][:, 0])
        if not self.classes:
            return torch.tanh(band[:, 3:4])
        return torch.stack([band[:, 3], -band[:, 3], band[:, 5]], 1)[:, : self.classes]


def found(method: AdaptiveWavelets, teacher: object, X: np.ndarray = X, tell=quiet, **said):
    wrapped = as_teacher(teacher, **(said or {"regression": True}))
    return method.distill(wrapped, Features.of(X).rows(X), np.random.default_rng(0), tell)


def test_the_planted_wavelet_is_found_although_dropout_was_left_on() -> None:
    net = One().train()
    finding = found(
        AdaptiveWavelets("db3", levels=2, sparsity=0.0, trim=1.0, starts=8, queries=0), net
    )
    assert net.training
    assert finding.status.code is StatusCode.COMPLETE
    assert "as sparse as in any wavelet" in str(finding.status)
    trace = finding.trace
    assert difference(np.array(trace["low"]), DB2) < 1e-3
    assert trace["success"] is True
    np.testing.assert_allclose(finding.student.filters.low, trace["low"])
    assert trace["importance"]["by_band"][1] > 0.3
    assert trace["importance"]["by_band"][0] < 1e-3
    assert json.loads(json.dumps(dict(trace))) == trace
    y = np.tanh(pywt.wavedec(X, "db2", mode="periodization", level=2)[1][:, 3])
    assert np.corrcoef(finding.student.predict(X), y)[0, 1] > 0.9


def test_the_path_is_scored_and_its_best_point_chosen() -> None:
    finding = found(
        AdaptiveWavelets("db2", levels=2, trim=(0.0, 3.0), starts=2, rows=30, queries=0), One()
    )
    path, chosen = finding.trace["path"], finding.trace["chosen"]
    assert [(p["sparsity"], p["trim"]) for p in path] == [(1, 0), (1, 3)]
    assert path[chosen]["score"] == max(p["score"] for p in path)
    assert path[1]["attributions"] < 1.01 < path[0]["attributions"]
    assert {"loss", "kept", "signals"} <= set(path[0])
    assert finding.trace["start"]["wavelet"] == "db2"


def test_without_gradients_the_teacher_is_queried() -> None:
    def black_box(x: np.ndarray) -> np.ndarray:
        return np.tanh(pywt.wavedec(np.asarray(x), "db2", mode="periodization", level=2)[1][:, 3])

    method = AdaptiveWavelets("db3", levels=2, sparsity=0.0, trim=1.0, max_queries=1000, starts=6)
    finding = found(method, black_box)
    assert method.needs == Access.QUERIES
    assert finding.queries == 960  # 15 rows, 64 queries each
    assert difference(np.array(finding.trace["low"]), DB2) < 0.05


@pytest.mark.parametrize("classes", [2, 3])
def test_classes(classes) -> None:
    method = AdaptiveWavelets("db3", levels=2, sparsity=0.0, trim=1.0, starts=5, rows=60, queries=0)
    finding = found(method, One(classes), classes=list(range(classes)), score_kind="logit")
    assert difference(np.array(finding.trace["low"]), DB2) < 1e-3
    shares = finding.student.predict_proba(X)
    assert shares.shape == (200, classes)
    assert ((shares > 0) & (shares < 1)).all()


def test_input_x_gradient_and_channels() -> None:
    class Second(One):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.reshape(-1, 2, 16)[:, 1])

    method = AdaptiveWavelets(
        "db2", levels=2, sparsity=0.0, trim=1.0, attribution="input_x_gradient", shape=(2, 16),
        starts=8, queries=0,
    )  # fmt: skip
    half = X[:60].copy()
    half[:, :16] = 0  # a channel of zeros does no harm
    finding = found(method, Second(), half)
    assert difference(np.array(finding.trace["low"]), DB2) < 0.01
    assert finding.trace["success"] is True


def test_images() -> None:
    class Picture(One):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return analysis2(x.reshape(-1, 1, 8, 8), self.low, 1)[1][0][:, 0, 1, 1:2]

    images = np.random.default_rng(0).standard_normal((100, 64))
    method = AdaptiveWavelets(
        "db2", levels=1, sparsity=0.0, trim=1.0, shape=(1, 8, 8), starts=6, queries=0
    )
    finding = found(method, Picture(), images)
    assert difference(np.array(finding.trace["low"]), DB2) < 0.01
    assert np.shape(finding.trace["importance"]["by_time"]) == (4, 8, 8)


def test_odd_lengths_and_all_boundaries_run() -> None:
    for boundary in ("periodic", "symmetric", "zero"):
        method = AdaptiveWavelets(
            "db2", levels=1, boundary=boundary, trim=1.0, starts=1, shape=(21,), queries=0
        )
        finding = found(method, lambda x: np.asarray(x)[:, 3], X[:4, :21])
        assert np.isfinite(finding.trace["loss"])
        assert finding.student.reconstruct(X[:5, :21]).shape == (5, 21)


def test_a_constant_teacher_fails_the_hypothesis_and_still_gives_a_student() -> None:
    finding = found(AdaptiveWavelets("db2", levels=1, starts=1, rows=20), lambda x: np.ones(len(x)))
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert "gradients are zero" in finding.status.message
    np.testing.assert_allclose(finding.student.predict(X), 1)
    assert [p["trim"] for p in finding.trace["path"]] == [0]
    alone = found(AdaptiveWavelets("db2", sparsity=0.0, trim=1.0), lambda x: np.ones(len(x)))
    assert alone.trace["low"] == pytest.approx(DB2.tolist())


def test_no_gain_over_the_start_is_said() -> None:
    finding = found(AdaptiveWavelets("haar", levels=2, rows=50), lambda x: np.asarray(x)[:, 3])
    assert finding.status.code is StatusCode.HYPOTHESIS_FAILED
    assert "haar" in finding.status.message


def test_an_interruption_keeps_what_was_done() -> None:
    def tell(stage: str, done: float, total: float) -> None:
        if stage == "filters of 4 taps":
            raise KeyboardInterrupt

    finding = found(AdaptiveWavelets("db2"), One(), tell=tell)
    assert finding.status.code is StatusCode.INTERRUPTED
    assert finding.trace["low"] == pytest.approx(DB2.tolist())


def test_the_penalty_form_runs() -> None:
    method = AdaptiveWavelets(
        "db3", levels=2, boundary="zero", parametrization="penalty", sparsity=1e-3,
        trim=(0.0, 1.0), epochs=2,
    )  # fmt: skip
    finding = found(method, One(), X[:60])
    assert 0 < difference(np.array(finding.trace["low"]), pywt.Wavelet("db3").rec_lo) < 0.05
    assert finding.trace["success"] is not True


def test_the_control_and_the_rival() -> None:
    method = AdaptiveWavelets("db2", levels=1, starts=1, rows=20)
    rows = Features.of(X).rows(X)
    y = X[:, 3] + 0.1 * X[:, 4]
    control = method.learn(rows, y, Task(unit="s"), np.random.default_rng(0))
    assert control.score(X, y) > 0.8
    labelled = method.learn(
        rows, (y > 0).astype(int), Task(("no", "yes")), np.random.default_rng(0)
    )
    assert set(labelled.predict(X)) == {"no", "yes"}
    teacher = as_teacher(One(), regression=True)
    finding = MethodResult(control, Status(StatusCode.COMPLETE, ""))
    answers = teacher.scores(rows.native())[:, 0]
    rng = np.random.default_rng(0)
    ((name, rival),) = method.baselines(teacher, rows, answers, finding, rng).items()
    assert name == "fixed db2 wavelets"
    np.testing.assert_allclose(rival.filters.low, DB2)


def test_same_seed_same_student() -> None:
    method = AdaptiveWavelets("db2", levels=2, trim=1.0, starts=1, rows=8, queries=40)
    a, b = (found(method, One(), X[:60]).student.fingerprint() for _ in range(2))
    assert a == b


def test_few_signals() -> None:
    finding = found(AdaptiveWavelets("db2", levels=2, trim=1.0, starts=1), One(), X[:8])
    assert finding.student.predict(X[:1]).shape == (1,)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"levels": 6}, "at most 5"),
        ({"levels": 0}, "levels is 0"),
        ({"shape": (3, 11)}, "32 columns"),
        ({"shape": (32, 1)}, "Give longer signals"),
        ({"moments": 6}, "at most 5"),
        ({"wavelet": "bior2.2"}, "orthogonal"),
        ({"wavelet": "db55"}, "db5"),
    ],
)
def test_settings_that_do_not_fit_the_signals(settings, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        found(AdaptiveWavelets(**settings), One())


@pytest.mark.parametrize(
    "settings",
    [
        {"boundary": "periodical"},
        {"attribution": "salience"},
        {"parametrization": "angle"},
        {"starts": 0},
        {"rows": 0},
        {"sparsity": 0.0, "trim": 0.0},
        {"trim": (-1.0, 2.0)},
    ],
)
def test_settings_that_cannot_be(settings) -> None:
    with pytest.raises(InvalidInput):
        AdaptiveWavelets(**settings)


def test_gaps_are_named() -> None:
    gaps = X.copy()
    gaps[7:9, 4:6] = np.nan
    with pytest.raises(InvalidInput, match=r"2 signals .* signal 7, at position 4"):
        found(AdaptiveWavelets(), One(), gaps)


def test_zeros_alone() -> None:
    with pytest.raises(InvalidInput, match="All signals are zero"):
        found(AdaptiveWavelets("db2"), One(), 0 * X)


@pytest.mark.parametrize(
    ("shape", "levels"),
    [((4,), 1), ((8,), 1), ((15,), 1), ((16,), 2), ((32,), 3), ((64,), 4), ((1024,), 4),
     ((2, 32), 3), ((1, 16, 64), 2), ((3, 64, 64), 4)],
)  # fmt: skip
def test_levels_by_default(shape, levels):
    """So many that the coarsest band keeps four values a side, and at most four."""
    rows = np.random.default_rng(0).normal(size=(3, int(np.prod(shape))))
    method = AdaptiveWavelets("haar", shape=shape)
    assert method._transform(Features.of(rows).rows(rows)).levels == levels
    chosen = AdaptiveWavelets("haar", shape=shape, levels=1)
    assert chosen._transform(Features.of(rows).rows(rows)).levels == 1


def test_variants_help_where_signals_are_few() -> None:
    signals = np.random.default_rng(1).standard_normal((250, 32)).cumsum(axis=1)
    few, fresh = signals[:50], signals[50:]
    truth = as_teacher(One(), regression=True).scores(fresh)[:, 0]
    settings = {"wavelet": "db2", "levels": 2, "trim": 1.0, "starts": 2}
    alone = found(AdaptiveWavelets(**settings, queries=0), One(), few)
    more = found(AdaptiveWavelets(**settings, queries=400, sampler="signal_variants"), One(), few)
    assert alone.trace["variants"] == alone.queries == 0
    assert more.trace["variants"] == more.queries == 400
    errors = [((f.student.predict(fresh) - truth) ** 2).mean() for f in (alone, more)]
    assert errors[1] < errors[0]
    assert list(more.rivals) == ["fixed db2 wavelets"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"queries": -1}, "queries is -1"),
        ({"sampler": "signal_mixx"}, "signal_mixx"),
        ({"query_weight": 0.0}, "query_weight is 0.0"),
    ],
)
def test_bad_settings_of_variants(given, words) -> None:
    with pytest.raises(InvalidInput, match=words):
        AdaptiveWavelets(**given)
