import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.on_policy import OnPolicy  # noqa: E402
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


@pytest.mark.parametrize(
    "make",
    [
        lambda: OnPolicy(share=1.5),
        lambda: OnPolicy(temperature=0.0),
        lambda: OnPolicy("kl"),
        lambda: OnPolicy(max_new_tokens=0),
    ],
)
def test_settings_without_meaning_are_refused(make):
    with pytest.raises(InvalidInput):
        make()
