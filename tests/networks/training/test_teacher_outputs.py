from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task, TaskKind  # noqa: E402
from limbeck.modules.batch import View  # noqa: E402
from limbeck.networks import GoldLabels, Logits, SoftTargets, TeacherCache  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.training.engine import Engine  # noqa: E402
from limbeck.networks.training.settings import Training  # noqa: E402
from limbeck.networks.training.teacher_outputs import asked, consensus  # noqa: E402
from limbeck.networks.training.train import train  # noqa: E402

pytestmark = pytest.mark.torch


class Noisy(torch.utils.data.Dataset):
    def __init__(self) -> None:
        self.x = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int):
        return self.x[i] + 0.3 * torch.randn(4), int(self.x[i, 0] > 0)


def net(width: int = 8) -> nn.Module:
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Dropout(0.2), nn.Linear(width, 2))


@pytest.mark.parametrize("seed", [0, 5])
def test_stored_outputs_of_augmented_samples_teach_what_the_teacher_does(tmp_path, seed):
    torch.manual_seed(1)
    teacher, samples = net(16), Samples.of(Noisy())
    cache = TeacherCache(tmp_path / "cache", views=2, seed=3).fill(teacher, samples)
    both = 0.9 * SoftTargets(temperature=4) + 0.1 * GoldLabels()
    settings = {"training": Training(3, 16, lr=0.01), "seed": seed}
    live = train(
        net,
        samples,
        both,
        Task.of("classification", 2),
        teacher=teacher,
        views=2,
        augment_seed=3,
        **settings,
    )
    stored = train(
        net,
        samples,
        both,
        Task.of("classification", 2),
        teacher=cache,
        folder=tmp_path / "r",
        **settings,
    )
    for a, b in zip(live.module.parameters(), stored.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)  # batches of another size
    again = train(
        net,
        samples,
        both,
        Task.of("classification", 2),
        teacher=cache,
        folder=tmp_path / "r",
        **settings,
    )
    assert again.history == stored.history


@pytest.mark.parametrize("by_length", [False, True])
def test_stored_answers_a_token_teach_what_the_teacher_does(tmp_path, by_length):
    """A language model and sequences of any length, in other batches than the cache knows."""
    transformers = pytest.importorskip("transformers")
    from limbeck.networks import HiddenStates

    def gpt(width: int) -> nn.Module:
        return transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=20, n_positions=16, n_embd=width, n_layer=1, n_head=2, bos_token_id=0,
                eos_token_id=0, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0,
            )
        )  # fmt: skip

    torch.manual_seed(1)
    teacher = gpt(16)
    ids = [[1 + (i * j) % 19 for j in range(2 + i * 7 % 12)] for i in range(1, 30)]
    samples = Samples.of({"input_ids": ids, "labels": ids}, by_length=by_length, batch_size=8)
    layer = "transformer.h.0"
    cache = TeacherCache(tmp_path, layers=[layer]).fill(teacher, samples, batch_size=5)
    aim = 0.5 * SoftTargets(temperature=2) + 0.5 * GoldLabels() + HiddenStates({layer: layer})
    live, stored = (
        train(
            lambda: gpt(8),
            samples.aimed(Task.of("language", 20)),
            aim,
            Task.of("language", 20),
            teacher=source,
            training=Training(2, 8, lr=0.01),
        )
        for source in (teacher, cache)
    )
    for a, b in zip(live.history, stored.history, strict=True):
        for term in ("SoftTargets", "GoldLabels", "HiddenStates"):
            assert a[term] == pytest.approx(b[term], rel=1e-5)
    for a, b in zip(live.module.parameters(), stored.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_what_stored_outputs_cannot_do_is_refused(tmp_path):
    from limbeck.networks import HiddenStates, Interchange

    teacher, samples = net(16), Samples.of(Noisy().x)
    cache = TeacherCache(tmp_path).fill(teacher, samples)
    task = Task.of("classification", 2)
    with pytest.raises(InvalidInput, match="no outputs of the layer '0'"):
        train(net, samples, HiddenStates({"0": "0"}), task, teacher=cache)
    with pytest.raises(InvalidInput, match="runs the teacher again"):
        train(net, samples, Interchange({"0": "0"}), task, teacher=cache)
    with pytest.raises(InvalidInput, match="no labels, and stored outputs are of training rows"):
        train(net, samples, Logits(), task, teacher=cache, validation=samples)


def test_the_teacher_is_given_back_as_it_was_also_after_an_error():
    teacher = net().train()

    def failing(engine: Engine) -> None:
        with asked(teacher, ("0",), engine, False) as (_, network):
            assert not teacher.training
            assert not network(torch.zeros(2, 4)).logits.requires_grad
            raise ZeroDivisionError

    with Engine.started(Training(), torch.device("cpu")) as engine:
        with pytest.raises(ZeroDivisionError):
            failing(engine)
        assert teacher.training
        assert not any(m._forward_hooks for m in teacher.modules())
        with (
            pytest.raises(InvalidInput, match="teacher is on meta and the student on cpu"),
            asked(nn.Linear(2, 2, device="meta"), (), engine, False),
        ):
            pass


@pytest.mark.parametrize(
    "kind", [TaskKind.CLASSIFICATION, TaskKind.MULTILABEL, TaskKind.REGRESSION, TaskKind.TOKENS]
)
def test_the_consensus_is_the_mean_of_what_is_said(kind):
    shape = (5, 7, 3) if kind is TaskKind.TOKENS else (5, 3)
    logits = [3 * torch.randn(shape, requires_grad=True, dtype=torch.float64) for _ in range(3)]
    view = consensus([View(z) for z in logits], Task.of(kind, 3))
    say = {
        TaskKind.CLASSIFICATION: lambda z: z.softmax(-1),
        TaskKind.TOKENS: lambda z: z.softmax(-1),
        TaskKind.MULTILABEL: torch.sigmoid,
        TaskKind.REGRESSION: lambda z: z,
    }[kind]
    torch.testing.assert_close(
        say(view.logits), torch.stack([say(z) for z in logits]).mean(0).detach()
    )
    assert not view.logits.requires_grad
    one = consensus([View(logits[0])], Task.of(kind, 3)).logits
    assert torch.equal(one, logits[0])
