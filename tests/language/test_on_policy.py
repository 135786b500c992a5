"""On-policy objectives: expected gradients over all texts are those of the divergence."""

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.minillm import MiniLLM  # noqa: E402
from limbeck.language.on_policy import OnPolicy  # noqa: E402
from limbeck.language.policy_gradient import PolicyGradient, discounted  # noqa: E402
from limbeck.language.text_step import TextStep  # noqa: E402

V = 5


def logits(*shape, seed=0, grad=False):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, V, generator=generator, dtype=torch.float64).requires_grad_(grad)


def kl(a, b):
    return (a.softmax(-1) * (a.log_softmax(-1) - b.log_softmax(-1))).sum(-1)


def test_on_policy_is_the_divergence_at_the_tokens_that_count():
    student, teacher = logits(2, 3, grad=True), logits(2, 3, seed=1)
    counts = torch.tensor([[True, True, False], [False, True, False]])
    step = TextStep(student, teacher, torch.zeros(2, 3, dtype=torch.long), counts, True)
    found = OnPolicy("reverse_kl").text_loss(step)
    assert float(found.mean.detach()) == pytest.approx(
        float(kl(student, teacher)[counts].mean().detach())
    )
    assert int(found.tokens) == 3


def test_the_expected_policy_gradient_is_that_of_reverse_kl():
    start, teacher = logits(1, seed=2), logits(1, seed=3)
    exact = start.clone().requires_grad_()
    kl(exact, teacher).sum().backward()
    expected = torch.zeros_like(start)
    for token in range(V):  # every text of one token, with its probability
        student = start.clone().requires_grad_()
        step = TextStep(student[:, None], teacher[:, None], torch.tensor([[token]]),
                        torch.ones(1, 1, dtype=torch.bool), True)  # fmt: skip
        PolicyGradient(centred=False).text_loss(step).total.backward()
        expected += start.softmax(-1)[0, token] * student.grad
    # E[grad log q] = 0, so the constant of the reward drops out
    assert torch.allclose(expected, exact.grad, atol=1e-12)


def test_centring_changes_the_loss_of_a_batch_by_a_baseline_only():
    student, teacher = logits(4, 3, seed=4, grad=True), logits(4, 3, seed=5)
    labels = torch.arange(12).reshape(4, 3) % V
    step = TextStep(student, teacher, labels, torch.ones(4, 3, dtype=torch.bool), True)
    own = student.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    reward = (teacher.log_softmax(-1).gather(-1, labels[..., None])[..., 0] - own).detach()
    (expected,) = torch.autograd.grad(-((reward - reward.mean()) * own).sum(), student)
    (found,) = torch.autograd.grad(PolicyGradient().text_loss(step).total, student)
    assert torch.allclose(found, expected)


@pytest.mark.parametrize("later", [False, True])
def test_discounted_sums_stay_within_a_text(later):
    counts = torch.tensor([[True, True, True, False], [False, True, True, False]])
    values = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])
    found = discounted(values, counts, 0.5, later)
    own = torch.tensor([1 + 1 + 1, 2 + 2, 4, 8 + 8, 16.0])
    after = torch.tensor([2 + 2, 4.0, 0, 16, 0])  # discounted from the next token on
    assert torch.equal(found, after if later else own)


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: OnPolicy(share=1.5),
        lambda: OnPolicy(temperature=0.0),
        lambda: OnPolicy("kl"),
        lambda: OnPolicy(max_new_tokens=0),
        lambda: PolicyGradient(discount=2.0),
        lambda: MiniLLM(teacher_share=1.0),
    ],
)
def test_settings_without_meaning_are_refused(make):
    with pytest.raises(InvalidInput):
        make()
