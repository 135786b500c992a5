import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.minillm import MiniLLM  # noqa: E402
from limbeck.language.text_step import TextStep  # noqa: E402

V = 5


def logits(*shape, seed=0, grad=False):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, V, generator=generator, dtype=torch.float64).requires_grad_(grad)


def kl(a, b):
    return (a.softmax(-1) * (a.log_softmax(-1) - b.log_softmax(-1))).sum(-1)


def test_minillm_weighs_tokens_so_that_the_mixture_does_not_bias():
    start, teacher = logits(1, seed=2), logits(1, seed=3)
    exact = start.clone().requires_grad_()
    kl(exact, teacher).sum().backward()
    expected = torch.zeros_like(start)
    p, q = teacher.softmax(-1), start.softmax(-1)
    mixture = 0.2 * p + 0.8 * q
    for token in range(V):
        student = start.clone().requires_grad_()
        step = TextStep(student[:, None], teacher[:, None], torch.tensor([[token]]),
                        torch.ones(1, 1, dtype=torch.bool), True)  # fmt: skip
        MiniLLM(0.2).text_loss(step).total.backward()
        expected += mixture[0, token] * student.grad
    assert torch.allclose(expected, exact.grad, atol=1e-12)  # a text of one token has no return


def test_minillm_takes_the_mean_reward_of_what_follows():
    student, teacher = logits(1, 3, seed=6, grad=True), logits(1, 3, seed=7)
    labels = torch.tensor([[0, 1, 2]])
    step = TextStep(student, teacher, labels, torch.ones(1, 3, dtype=torch.bool), True)
    own = student.log_softmax(-1)[0].gather(1, labels.T)[:, 0]
    reward = 0.5 * (teacher.log_softmax(-1)[0].gather(1, labels.T)[:, 0] - own).detach()
    advantage = torch.stack([(reward[1] + reward[2]) / 2, reward[2], torch.zeros(())])
    (expected,) = torch.autograd.grad(
        -(advantage * own).sum() + kl(student, teacher).sum(), student
    )
    (found,) = torch.autograd.grad(MiniLLM(teacher_share=0.0).text_loss(step).total, student)
    assert torch.allclose(found, expected)


def test_minillm_takes_cross_entropy_of_given_texts():
    student = logits(1, 2, seed=6)
    labels = torch.tensor([[3, 1]])
    step = TextStep(student, logits(1, 2), labels, torch.ones(1, 2, dtype=torch.bool), False)
    expected = torch.nn.functional.cross_entropy(student[0], labels[0])
    assert float(MiniLLM().text_loss(step).mean) == pytest.approx(float(expected))


def test_a_setting_without_a_meaning_is_refused():
    with pytest.raises(InvalidInput, match=r"teacher_share is 1\.0"):
        MiniLLM(teacher_share=1.0)
