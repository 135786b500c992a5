import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.policy_gradient import PolicyGradient, discounted  # noqa: E402
from limbeck.language.text_step import TextStep  # noqa: E402

V = 5


def logits(*shape, seed=0, grad=False):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, V, generator=generator, dtype=torch.float64).requires_grad_(grad)


def kl(a, b):
    return (a.softmax(-1) * (a.log_softmax(-1) - b.log_softmax(-1))).sum(-1)


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


def test_a_setting_without_a_meaning_is_refused():
    with pytest.raises(InvalidInput, match=r"discount is 2\.0"):
        PolicyGradient(discount=2.0)
