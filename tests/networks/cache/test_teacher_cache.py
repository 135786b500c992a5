"""The cache answers as the teacher would, in any order and under augmentation, or refuses."""

from __future__ import annotations

import copy
import json
import multiprocessing
import random
import signal
import time
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from limbeck.core.errors import FileRefused, InvalidInput, TeacherFailed
from limbeck.core.task import Task, TaskKind
from limbeck.modules.capture import Capture
from limbeck.networks.cache.checksums import RunningChecksums
from limbeck.networks.cache.teacher_cache import TeacherCache
from limbeck.networks.datasets.batch import Batch
from limbeck.networks.datasets.data import Samples

N, K = 21, 7


class Pictures(Dataset[Any]):
    """Augmented by torch, numpy and random; ``factor`` is the preprocessing."""

    def __init__(self, factor: float = 1.0, drawn: bool = True) -> None:
        self.x = torch.randn(N, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * factor
        self.drawn = drawn

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        x = self.x[place]
        if self.drawn:
            x = x.roll(random.randrange(4), 2) + 0.1 * torch.randn(3, 4, 4)
            x = x.flip(2) if np.random.rand() < 0.5 else x  # noqa: NPY002
        return x, place % 2


class Net(nn.Module):
    """With dropout, so that train mode would show, and a number that no weight tells."""

    def __init__(self, outputs: int = K) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Dropout(0.5), nn.Flatten())
        self.head = nn.Linear(20, outputs)
        self.scale = 4.0
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.head(self.body(x)) * self.scale


def live(net: nn.Module, batch: Batch) -> Tensor:
    with torch.no_grad():
        return copy.deepcopy(net).eval()(batch.inputs)


def plain(**what: Any) -> Samples:
    return Samples.of(Pictures(drawn=False, **what))


@pytest.mark.parametrize(
    ("filling", "asking", "drawn"), [(2, 0, True), (0, 1, True), (0, 0, False)]
)
def test_as_if_the_teacher_had_been_asked(
    tmp_path: Path, filling: int, asking: int, drawn: bool
) -> None:
    """Whichever processes load the samples."""
    net = Net()
    filled_by = Samples.of(DataLoader(Pictures(drawn=drawn), batch_size=4, num_workers=filling))
    cache = TeacherCache(tmp_path, views=2 if drawn else None, seed=11).fill(net, filled_by)
    samples = Samples.of(DataLoader(Pictures(drawn=drawn), num_workers=asking))
    cache.check(samples)
    for epoch in range(3 if drawn else 2):
        order = samples.order(epoch, seed=1)
        for batch in samples.batches(order, 5, seed=cache.seed, view=epoch % cache.views):
            torch.testing.assert_close(cache.view(batch).logits, live(net, batch))
    assert cache.views == (2 if drawn else 1)


def test_bit_for_bit_where_batches_are_the_same(tmp_path: Path) -> None:
    net, samples = Net(), Samples.of(Pictures())
    cache = TeacherCache(tmp_path, views=2).fill(net, samples, batch_size=4)
    for view in range(2):
        for batch in samples.batches(range(N), 4, view=view):
            assert cache.view(batch).logits.equal(live(net, batch))


def test_views_differ_and_epochs_come_round(tmp_path: Path) -> None:
    samples = Samples.of(Pictures())
    cache = TeacherCache(tmp_path, views=2).fill(Net(), samples)
    zero, one = (cache.view(samples.fetch(range(N), view=v)).logits for v in (0, 1))
    assert not torch.isclose(zero, one).all(1).any()


def test_the_teacher_is_left_as_it_was(tmp_path: Path) -> None:
    net = Net().train()
    net.head.eval()
    TeacherCache(tmp_path).fill(net, plain())
    assert net.body.training
    assert net.body[2].training
    assert not net.head.training
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    assert not net.head._forward_hooks


def test_a_filled_cache_asks_only_to_check(tmp_path: Path) -> None:
    net, samples = Net(), plain()
    TeacherCache(tmp_path).fill(net, samples, batch_size=2)
    net.calls = 0
    TeacherCache(tmp_path).fill(net, samples, batch_size=2)
    assert net.calls == 1  # 16 rows at once, to see that it still answers the same


def test_layers_are_stored_too(tmp_path: Path) -> None:
    net, samples = Net(), plain()
    cache = TeacherCache(tmp_path, layers=["body.0", "head"]).fill(net, samples)
    batch = samples.fetch([5, 2, 20])
    reference = copy.deepcopy(net).eval()
    with Capture(reference, ["body.0", "head"]) as capture, torch.no_grad():
        reference(batch.inputs)
        told = capture.take()
    found = cache.view(batch).layers
    assert list(found) == ["body.0", "head"]
    for name in told:
        torch.testing.assert_close(found[name], told[name])
    cache.check(samples, layers=["head"])
    with pytest.raises(InvalidInput, match=r"'body.1'.*layers=\['body.0', 'body.1', 'head'\]"):
        cache.check(samples, layers=["body.1"])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_largest_logits(tmp_path: Path, dtype: str) -> None:
    net, samples = Net(), plain()
    cache = TeacherCache(tmp_path, top=3, dtype=dtype).fill(net, samples)
    batch = samples.fetch([4, 19])
    now, then = live(net, batch), cache.view(batch).logits
    assert then.dtype is torch.float32
    places = now.topk(3).indices
    close = {"rtol": 1e-3, "atol": 1e-3} if dtype == "float16" else {"rtol": 1e-6, "atol": 1e-6}
    torch.testing.assert_close(then.gather(1, places), now.gather(1, places), **close)
    p, q = now.softmax(1), then.softmax(1)
    left = 1 - p.gather(1, places).sum(1)
    torch.testing.assert_close(1 - q.gather(1, places).sum(1), left, rtol=1e-3, atol=1e-5)
    tail = q.scatter(1, places, torch.nan)
    assert all(row[~row.isnan()].unique().numel() == 1 for row in tail)


def test_what_the_largest_leave_out(tmp_path: Path) -> None:
    net, samples = Net(), plain()
    cache = TeacherCache(tmp_path, top=3).fill(net, samples)
    batch = samples.fetch(range(N))
    now, then = live(net, batch).double(), cache.view(batch).logits.double()
    for temperature in (1.0, 4.0):
        told = cache.left_out(temperature)
        p, q = (z.div(temperature).log_softmax(1) for z in (now, then))
        variation = (p.exp() - q.exp()).abs().sum(1) / 2
        divergence = (p.exp() * (p - q)).sum(1)
        assert variation.max() <= told.max_variation < 1
        assert variation.mean() <= told.mean_variation
        assert divergence.max() <= told.max_divergence
        assert divergence.mean() <= told.mean_divergence
    assert TeacherCache(tmp_path / "all").fill(net, samples).left_out().max_variation == 0


def test_only_one_class_out_of_many_leaves_out_a_probability(tmp_path: Path) -> None:
    cache = TeacherCache(tmp_path, top=2).fill(Net(), plain())
    cache.check(plain(), task=Task.of("classification", K))
    for kind in (TaskKind.MULTILABEL, TaskKind.REGRESSION):
        with pytest.raises(InvalidInput, match=f"top 2 outputs, and the task is {kind}"):
            cache.check(plain(), task=Task.of(kind, K))
    with pytest.raises(InvalidInput, match="top is 7 of 7"):
        TeacherCache(tmp_path / "b", top=7).fill(Net(), plain())


# --- what is refused -----------------------------------------------------------------------------


def test_random_samples_need_a_number_of_views(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="views=k"):
        TeacherCache(tmp_path).fill(Net(), Samples.of(Pictures()))
    assert not (tmp_path / "cache.json").exists()
    frozen = TeacherCache(tmp_path, views=1).fill(Net(), Samples.of(Pictures()))
    assert frozen.views == 1


def test_samples_that_cannot_be_drawn_again(tmp_path: Path) -> None:
    class Own(Pictures):
        generator = np.random.default_rng(0)

        def __getitem__(self, place: int) -> tuple[Tensor, int]:
            return self.x[place] + float(self.generator.random()), 0

    with pytest.raises(InvalidInput, match="generator of its own"):
        TeacherCache(tmp_path, views=2).fill(Net(), Samples.of(Own()))


def _weights(net: Net) -> None:
    net.head.bias.data[0] += 1e-6


def _code(net: Net) -> None:
    net.scale = 5.0


@pytest.mark.parametrize(
    ("change", "told"), [(_weights, "another teacher"), (_code, "answers 16 samples otherwise")]
)
@pytest.mark.parametrize("top", [None, 3])
def test_a_changed_teacher(tmp_path: Path, change: Any, told: str, top: int | None) -> None:
    net = Net()
    TeacherCache(tmp_path, top=top).fill(net, plain())
    change(net)
    with pytest.raises(FileRefused, match=rf"{told}.*again=True"):
        TeacherCache(tmp_path, top=top).fill(net, plain())
    cache = TeacherCache(tmp_path, top=top).fill(net, plain(), again=True)
    batch = plain().fetch([3])
    best = live(net, batch).max()
    torch.testing.assert_close(cache.view(batch).logits.max(), best)


def test_changed_samples(tmp_path: Path) -> None:
    net = Net()
    cache = TeacherCache(tmp_path).fill(net, plain())
    for samples, told in (
        (plain(factor=1.01), r"another preprocessing or augmentation \(21 of 21"),
        (plain().subset(range(20)), "of 21 samples, and there are 20"),
        (plain().subset(range(N - 1, -1, -1)), "other samples"),
    ):
        with pytest.raises(FileRefused, match=told):
            cache.check(samples)
        with pytest.raises(FileRefused, match=told):
            TeacherCache(tmp_path).fill(net, samples)


def test_changed_labels_change_no_answer(tmp_path: Path) -> None:
    x = torch.randn(8, 3, 4, 4)
    TeacherCache(tmp_path).fill(Net(), Samples.of((x, torch.zeros(8))))
    TeacherCache(tmp_path).check(Samples.of((x, torch.ones(8))))


def test_a_changed_augmentation(tmp_path: Path) -> None:
    class Other(Pictures):
        def __getitem__(self, place: int) -> tuple[Tensor, int]:
            return super().__getitem__(place)[0].flip(1), 0

    net = Net()
    cache = TeacherCache(tmp_path, views=2).fill(net, Samples.of(Pictures()))
    with pytest.raises(FileRefused, match="augmentation"):
        cache.check(Samples.of(Other()))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"top": 3}, "top=None, asked for is 3"),
        ({"views": 2}, "views=1, asked for is 2"),
        ({"layers": ["head"]}, r"layers=\[\], asked for is \['head'\]"),
        ({"seed": 1}, "seed=0, asked for is 1"),
        ({"dtype": "float16"}, "dtype='float32', asked for is 'float16'"),
    ],
)
def test_other_settings(tmp_path: Path, asked: dict[str, Any], told: str) -> None:
    TeacherCache(tmp_path).fill(Net(), plain())
    with pytest.raises(FileRefused, match=told):
        TeacherCache(tmp_path, **asked).fill(Net(), plain())
    with pytest.raises(FileRefused, match=told):
        TeacherCache(tmp_path, **asked).view(plain().fetch([0]))


def test_opened_with_the_settings_it_was_made_with(tmp_path: Path) -> None:
    asked = {"top": 3, "views": 2, "layers": ["head"], "seed": 4, "dtype": "float16"}
    made = TeacherCache(tmp_path, **asked).fill(Net(), Samples.of(Pictures()))  # type: ignore[arg-type]
    found = TeacherCache.open(tmp_path)
    assert (found.seed, found.views, found.layers) == (4, 2, ("head",))
    assert found.nbytes == made.nbytes
    found.check(Samples.of(Pictures()))
    with pytest.raises(FileRefused, match="no teacher cache"):
        TeacherCache.open(tmp_path / "b")
    with pytest.raises(FileRefused, match="no teacher cache"):
        TeacherCache(tmp_path / "b").view(plain().fetch([0]))


def test_a_batch_of_another_seed_or_view(tmp_path: Path) -> None:
    samples = Samples.of(Pictures())
    cache = TeacherCache(tmp_path, views=2, seed=3).fill(Net(), samples)
    for seed, view in ((3, 2), (3, -1), (0, 1)):
        with pytest.raises(InvalidInput, match=f"view {view} of seed {seed}; stored are views 0 "):
            cache.view(samples.fetch([0], seed=seed, view=view))


def test_an_input_that_was_not_answered(tmp_path: Path) -> None:
    """A change that no fingerprint saw is refused in the batch where it appears."""
    samples = plain()
    cache = TeacherCache(tmp_path).fill(Net(), samples)
    batch = samples.fetch([3, 7, 9])
    for inputs, bad in (
        (batch.inputs * 1.01, 3),
        (batch.inputs[[2, 1, 0]], 2),
        (batch.inputs.flip(3), 3),
    ):
        changed = Batch(inputs, None, batch.index)
        with pytest.raises(InvalidInput, match=f"Sample 3 is not the input.*{bad} of 3"):
            cache.view(changed)
    cache.view(batch)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"top": 0}, "top is 0"), ({"views": 0}, "views is 0"), ({"dtype": "int8"}, "int8")],
)
def test_settings_without_meaning(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        TeacherCache(tmp_path, **given)


def test_answers_that_cannot_be_stored(tmp_path: Path) -> None:
    net = Net()
    net.scale = 1e6
    with pytest.raises(InvalidInput, match="too large for float16"):
        TeacherCache(tmp_path / "a", dtype="float16").fill(net, plain())
    with torch.no_grad():
        net.head.bias[2] = torch.nan
    with pytest.raises(TeacherFailed, match="not a number: row 0 has nan in output 2"):
        TeacherCache(tmp_path / "b").fill(net, plain())

    class Summed(Net):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).sum(0)

    with pytest.raises(InvalidInput, match=r"shape \(7,\) for 1 samples"):
        TeacherCache(tmp_path / "c").fill(Summed(), plain())


# --- sequences -----------------------------------------------------------------------------------


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(30, 6)
        self.head = nn.Linear(6, 9)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        x = self.embedding(input_ids) * attention_mask[..., None]
        return {"logits": self.head(x.cumsum(1))}


SENTENCES = {"input_ids": [[1, 2, 3, 4], [5], [6, 7], [8, 9, 10]], "label": [0, 1, 0, 1]}


@pytest.mark.parametrize("top", [None, 2])
def test_an_answer_for_each_token(tmp_path: Path, top: int | None) -> None:
    net, samples = Tagger(), Samples.of(SENTENCES, length=6)
    cache = TeacherCache(tmp_path, top=top).fill(net, samples, batch_size=3)
    batch = samples.fetch([2, 0])
    with torch.no_grad():
        now = net(**batch.inputs)["logits"]
    then = cache.view(batch).logits
    assert then.shape == (2, 6, 9)
    kept = now.topk(top or 9).indices
    torch.testing.assert_close(then.gather(-1, kept), now.gather(-1, kept))


def left(items: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Padding on the left, as decoders like it."""
    width = max(len(i["input_ids"]) for i in items)
    rows = [[0] * (width - len(i["input_ids"])) + i["input_ids"] for i in items]
    mask = [[0] * (width - len(i["input_ids"])) + [1] * len(i["input_ids"]) for i in items]
    return {"input_ids": torch.tensor(rows), "attention_mask": torch.tensor(mask)}


RAGGED = [{"input_ids": [1 + (7 * i + j) % 29 for j in range(1 + i * 5 % 11)]} for i in range(40)]
LEFT = Samples.of(DataLoader(RAGGED, collate_fn=left))  # type: ignore[arg-type]
RIGHT = Samples.of({"input_ids": [r["input_ids"] for r in RAGGED]})


@pytest.mark.parametrize("top", [None, 2])
@pytest.mark.parametrize("filled", [LEFT, RIGHT])
@pytest.mark.parametrize("asked", [LEFT, RIGHT])
def test_sequences_of_any_length(
    tmp_path: Path, top: int | None, filled: Samples, asked: Samples
) -> None:
    """Filled in one order and size of batches, asked in others, padded on either side."""
    net = Tagger()
    cache = TeacherCache(tmp_path, top=top).fill(net, filled, batch_size=7)
    for epoch in range(2):
        for batch in asked.batches(asked.order(epoch, seed=1), 6):
            there = batch.inputs["attention_mask"].bool()
            with torch.no_grad():
                now = net(**batch.inputs)["logits"][there]
            view = cache.view(batch).logits
            assert view.isfinite().all()
            then = view[there]
            kept = now.topk(top or 9).indices
            torch.testing.assert_close(then.gather(-1, kept), now.gather(-1, kept))
            left_out = 1 - now.softmax(-1).gather(-1, kept).sum(-1)
            told = 1 - then.softmax(-1).gather(-1, kept).sum(-1)
            torch.testing.assert_close(told, left_out, rtol=1e-3, atol=1e-5)
    longest = max(len(r["input_ids"]) for r in RAGGED)
    name = "logits" if top is None else "values"
    assert np.load(tmp_path / f"{name}.npy").shape == (40, longest, top or 9)


def test_sequences_of_any_length_go_on_and_are_kept(tmp_path: Path) -> None:
    net = Tagger()

    def stop(stage: str, done: float, total: float) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TeacherCache(tmp_path / "a").fill(net, RIGHT, batch_size=5, progress=stop)
    seen: list[float] = []
    TeacherCache(tmp_path / "a").fill(
        net, RIGHT, batch_size=5, progress=lambda stage, done, total: seen.append(done)
    )
    assert seen[0] == 25
    TeacherCache(tmp_path / "b").fill(net, RIGHT, batch_size=5)
    for name in ("logits", "marks", "lengths"):
        one, two = ((tmp_path / f / f"{name}.npy").read_bytes() for f in "ab")
        assert one == two
    TeacherCache(tmp_path / "a").fill(net, RIGHT)  # asks 16 rows again, of any length
    net.head.bias.data += 0.1
    with pytest.raises(FileRefused, match="another teacher"):
        TeacherCache(tmp_path / "a").fill(net, RIGHT)


def test_a_teacher_of_sequences_that_answers_otherwise(tmp_path: Path) -> None:
    class Scaled(Tagger):
        scale = 1.0

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
            return {"logits": super().forward(input_ids, attention_mask)["logits"] * self.scale}

    net = Scaled()
    for top in (None, 3):
        TeacherCache(tmp_path / str(top), top=top).fill(net, RIGHT)
    net.scale = 1.2
    for top in (None, 3):
        with pytest.raises(FileRefused, match="answers 16 samples otherwise"):
            TeacherCache(tmp_path / str(top), top=top).fill(net, RIGHT)


def test_what_is_left_out_of_sequences_is_of_their_tokens(tmp_path: Path) -> None:
    net = Tagger()
    net.head.weight.data *= 20
    cache = TeacherCache(tmp_path, top=4).fill(net, RIGHT, batch_size=9)
    tails = []
    for batch in RIGHT.batches(range(40), 9):
        with torch.no_grad():
            p = net(**batch.inputs)["logits"].double().softmax(-1)
        rest = 1 - p.topk(4).values.sum(-1)
        tails.append(rest[batch.inputs["attention_mask"].bool()])
    told = cache.left_out()
    assert told.mean_variation == pytest.approx(float(torch.cat(tails).mean()) * (1 - 1 / 5), 1e-4)
    assert told.max_variation == pytest.approx(float(torch.cat(tails).max()) * (1 - 1 / 5), 1e-4)


@pytest.mark.parametrize("by_row", [True, False])
def test_a_teacher_that_minds_the_padding_is_refused(tmp_path: Path, by_row: bool) -> None:
    class Minds(Tagger):
        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
            x = self.head(self.embedding(input_ids))
            return {"logits": x.mean(1) if by_row else x + x.mean(1, keepdim=True)}

    with pytest.raises(InvalidInput, match=r"sample 0 otherwise in a batch of 11 places than in"):
        TeacherCache(tmp_path).fill(Minds(), RIGHT)
    assert not (tmp_path / "cache.json").exists()
    even = Samples.of({"input_ids": [r["input_ids"] for r in RAGGED]}, length=11)
    TeacherCache(tmp_path).fill(Minds(), even)


def test_layers_and_attention_maps_of_sequences(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    net = transformers.BertForTokenClassification(
        transformers.BertConfig(
            vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=8, num_labels=3, attn_implementation="eager",
        )
    ).eval()  # fmt: skip
    names = ["bert.encoder.layer.0", "bert.encoder.layer.0.attention.self[1]"]
    cache = TeacherCache(tmp_path, layers=names).fill(net, RIGHT, batch_size=6)
    batch = RIGHT.fetch([3, 17, 8, 2])
    there = batch.inputs["attention_mask"].bool()
    with Capture(net, names) as capture, torch.no_grad():
        logits = net(**batch.inputs).logits
        told = capture.take()
    view = cache.view(batch)
    torch.testing.assert_close(view.logits[there], logits[there])
    torch.testing.assert_close(view.layers[names[0]][there], told[names[0]][there])
    both = (there[:, :, None] & there[:, None, :])[:, None].expand_as(told[names[1]])
    torch.testing.assert_close(view.layers[names[1]][both], told[names[1]][both])


def test_padding_changes_no_answer_by_row(tmp_path: Path) -> None:
    class Mean(Tagger):
        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
            x = self.embedding(input_ids) * attention_mask[..., None]
            return {"logits": self.head(x.sum(1) / attention_mask.sum(1, keepdim=True))}

    net, samples = Mean(), Samples.of(SENTENCES, pad=29)
    cache = TeacherCache(tmp_path).fill(net, samples, batch_size=2)
    for rows in ([1], [1, 0], [3, 1, 2]):
        batch = samples.fetch(rows)
        with torch.no_grad():
            torch.testing.assert_close(cache.view(batch).logits, net(**batch.inputs)["logits"])


# --- stops ---------------------------------------------------------------------------------------


def _fills(folder: Path, said: Any) -> None:
    """In a process of its own: fill a cache on a full disk, then another one, slowly."""
    import resource

    torch.set_num_threads(1)  # threads of the parent are not here
    torch.manual_seed(0)
    net, samples = nn.Linear(50, 40), Samples.of(torch.randn(400, 50))

    def fill(name: str, wait: float) -> None:
        cache = TeacherCache(folder / name)
        cache.fill(net, samples, batch_size=4, progress=lambda *_: time.sleep(wait))

    own = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, own[1]))
    try:
        fill("full", 0)
    except Exception as error:
        told = f"{type(error).__name__} {error}"
    resource.setrlimit(resource.RLIMIT_FSIZE, own)
    said.send(told)
    fill("killed", 0.1)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a process said whose disk was full, and its folder: it then filled another, killed."""
    folder = tmp_path_factory.mktemp("stopped")
    header, done = folder / "killed/cache.json", 0
    here, there = multiprocessing.Pipe()
    run = multiprocessing.get_context("fork").Process(target=_fills, args=(folder, there))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads that are not forked
        run.start()
    while done == 0 and run.is_alive():
        time.sleep(0.02)
        done = json.loads(header.read_text())["done"] if header.exists() else 0
    run.kill()
    run.join()
    assert run.exitcode == -signal.SIGKILL
    return here.recv(), folder


def _goes_on(folder: Path) -> float:
    """Fill the rest in this process; how many rows there were after its first batch."""
    torch.manual_seed(0)
    net, x = nn.Linear(50, 40), torch.randn(400, 50)
    samples, seen = Samples.of(x), []
    cache = TeacherCache(folder).fill(
        net, samples, batch_size=4, progress=lambda stage, done, total: seen.append(done)
    )
    batch = samples.fetch(range(400))
    torch.testing.assert_close(cache.view(batch).logits, live(net, batch))
    return float(seen[0])


def test_a_killed_run_goes_on(stopped: tuple[str, Path]) -> None:
    folder = stopped[1] / "killed"
    done = json.loads((folder / "cache.json").read_text())["done"]
    assert 0 < done < 400
    assert _goes_on(folder) == done + 4


def test_a_full_disk_and_on_from_there(stopped: tuple[str, Path]) -> None:
    said, folder = stopped[0], stopped[1] / "full"
    assert said.startswith("FileRefused")
    assert "124 of 400 rows are complete and stay" in said  # (20,000 - 128) / 160, by fours
    with pytest.raises(FileRefused, match=r"124 of 400 rows.*goes on where it stopped"):
        TeacherCache(folder).view(Samples.of(torch.zeros(400, 50)).fetch([0]))
    assert _goes_on(folder) == 128


def test_a_cache_of_part_of_the_views_goes_on(tmp_path: Path) -> None:
    net, samples = Net(), Samples.of(Pictures())

    def stop(stage: str, done: float, total: float) -> None:
        if done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TeacherCache(tmp_path, views=3).fill(net, samples, batch_size=5, progress=stop)
    seen: list[float] = []
    cache = TeacherCache(tmp_path, views=3).fill(
        net, samples, batch_size=5, progress=lambda stage, done, total: seen.append(done)
    )
    assert seen[0] == 36  # 21 rows of view 0 in batches of 5, 5, 5, 5, 1, then 5, 5
    for view in range(3):
        batch = samples.fetch(range(N), view=view)
        torch.testing.assert_close(cache.view(batch).logits, live(net, batch))


def test_a_teacher_changed_since_the_stop_does_not_go_on(tmp_path: Path) -> None:
    net = Net()

    def stop(stage: str, done: float, total: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TeacherCache(tmp_path).fill(net, plain(), batch_size=5, progress=stop)
    _weights(net)
    with pytest.raises(FileRefused, match="another teacher"):
        TeacherCache(tmp_path).fill(net, plain())


# --- size ----------------------------------------------------------------------------------------


def _many(folder: Path) -> TeacherCache:
    net = nn.Sequential(nn.Flatten(), nn.Linear(8, 1000))
    return TeacherCache(folder, top=32).fill(net, Samples.of(torch.zeros(64, 8)))


def test_a_million_rows_of_a_thousand_classes_take_less_than_300_mb(tmp_path: Path) -> None:
    cache = _many(tmp_path)
    sizes = {f.name: f.stat().st_size for f in tmp_path.glob("*.npy")}
    assert sum(sizes.values()) == cache.nbytes
    rows = {name: (size - 128) / 64 for name, size in sizes.items()}  # 128 bytes of header
    assert rows == {"values.npy": 128, "indices.npy": 64, "log_rest.npy": 4, "marks.npy": 4}
    header = (tmp_path / "cache.json").stat().st_size + 32
    assert 1e6 * sum(rows.values()) + 4 * 128 + header < 201e6


@pytest.mark.slow
def test_a_real_file_of_a_million_rows(tmp_path: Path) -> None:
    _many(tmp_path)
    n = 1_000_000
    for path in tmp_path.glob("*.npy"):
        small = np.load(path)
        large = np.lib.format.open_memmap(path, "w+", small.dtype, (n, *small.shape[1:]))
        large[-64:] = small  # the rest is a hole
        del large
    header = json.loads((tmp_path / "cache.json").read_text())
    header |= {"rows": n, "done": n}
    header["head"]["samples"] = n
    for path in tmp_path.glob("*.npy"):
        sums = RunningChecksums()
        sums.add(memoryview(path.read_bytes()))
        path.with_suffix(".crc").write_bytes(sums.full)
        header["sums"][path.stem] = [len(sums.full) // 4, zlib.crc32(sums.full), sums.tail]
    del header["checksum"]
    header["checksum"] = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    (tmp_path / "cache.json").write_text(json.dumps(header))
    cache = TeacherCache.open(tmp_path)
    assert cache.nbytes == sum(f.stat().st_size for f in tmp_path.glob("*.npy")) < 300e6
    index = torch.tensor([n - 1, n - 64, n - 7])
    logits = cache.view(Batch(torch.zeros(3, 8), None, index)).logits
    assert logits.shape == (3, 1000)
    assert logits.softmax(1).sum(1).tolist() == pytest.approx([1, 1, 1])
    assert logits.std() > 0.05  # of a network, not of the hole
