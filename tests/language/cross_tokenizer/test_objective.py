"""Losses between tokenizers against chunk likelihoods that are found token by token."""

import pytest

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.core.task import Task  # noqa: E402
from limbeck.language import chunked  # noqa: E402
from limbeck.language.chunk_likelihoods import sorted_distance  # noqa: E402
from limbeck.language.cross_tokenizer.bridge import Bridge  # noqa: E402
from limbeck.language.cross_tokenizer.objective import CrossTokenizer  # noqa: E402
from limbeck.language.prompt_rows import read_rows  # noqa: E402
from limbeck.language.prompts import encode  # noqa: E402
from limbeck.language.samples import TextSamples  # noqa: E402
from limbeck.language.text_step import text_step  # noqa: E402
from limbeck.modules import linear_head  # noqa: E402
from limbeck.modules.batch import Step, View  # noqa: E402
from limbeck.modules.runner import watched  # noqa: E402
from tests.language.cross_tokenizer.conftest import ROWS, step_of, token_by_token  # noqa: E402


def test_alm_is_the_cross_entropy_of_chunk_likelihoods(bridge):
    assert bridge.byte_student
    step, _ = step_of(bridge)
    objective = CrossTokenizer("alm", bias_threshold=0.0, chunk_temperature=7.0)
    found = objective.cross_loss(text_step(step), bridge.signal(step, 0.0, False))
    expected = 0.0
    prompts = encode(read_rows(ROWS), bridge.student, 40)
    for prompt, text in zip(prompts.ids, prompts.completions, strict=True):
        one = bridge.aligned(prompt, text)
        for c in range(one.chunks):
            q, p = (
                torch.tensor(token_by_token(model, ids, bound[c] + 1, bound[c + 1] + 1) / 7)
                for model, ids, bound in (
                    (bridge.student, one.student_ids, one.student),
                    (bridge.teacher, one.teacher_ids, one.teacher),
                )
            )
            expected -= float(p.exp() * q + (1 - p.exp()) * (1 - q.exp()).log())
    assert float(found.total.detach()) == pytest.approx(expected, rel=1e-4)
    assert int(found.tokens) == sum(len(t) for t in prompts.completions)


@pytest.mark.parametrize("method", ["alm", "gold"])
def test_numerals_are_learned_from(bridge, method):
    step, logits = step_of(bridge)
    signal = bridge.signal(step, 0.0, method != "alm")
    loss = CrossTokenizer(method).cross_loss(text_step(step), signal).total
    (grad,) = torch.autograd.grad(loss, logits)
    digits = [[bridge.ours.table[i].isdigit() for i in row] for row in step.inputs["input_ids"]]
    at = torch.tensor(digits)[:, 1:] & step.inputs["attention_mask"][:, 1:].bool()
    assert int(at.sum()) == 6
    assert bool((grad[:, :-1][at].abs().sum(-1) > 0).all())


def test_a_student_that_is_its_teacher_has_nothing_to_learn(make_bpe, make_model):
    model = make_model(make_bpe(320), "big", 0, 24)
    itself = Bridge(model, model)
    step, logits = step_of(itself)
    for method in ("alm", "gold", "uld"):
        signal = itself.signal(step, 0.0, method != "alm")
        objective = CrossTokenizer(method, cross_entropy=0.0)
        loss = objective.cross_loss(text_step(step), signal).total
        (grad,) = torch.autograd.grad(loss, logits)
        small = loss.detach() if method == "uld" else grad.abs().max()  # an L1 has a kink there
        assert float(small) < 1e-5, method


def test_uld_is_the_sorted_distance_where_both_read_the_same_bytes(bridge):
    step, logits = step_of(bridge)
    signal = bridge.signal(step, 0.0, True)
    found = CrossTokenizer("uld", cross_entropy=0.0).cross_loss(text_step(step), signal)
    expected = 0.0
    prompts = encode(read_rows(ROWS), bridge.student, 40)
    for row, pair in enumerate(zip(prompts.ids, prompts.completions, strict=True)):
        one = bridge.aligned(*pair)
        teacher = bridge.teacher.module(torch.tensor([one.teacher_ids])).logits[0]
        places = one.student[:-1], one.teacher[:-1]
        expected += float(
            sorted_distance(logits[row][places[0]].detach(), teacher[places[1]]).sum()
        )
    assert float(found.total.detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("sizes", [(290, 320), (320, 290)])
def test_gold_is_that_of_trl_where_both_cut_a_text_alike(make_bpe, make_model, sizes):
    pair = Bridge(make_model(make_bpe(sizes[0]), "big", 0, 24),
                  make_model(make_bpe(sizes[1]), "small", 1))  # fmt: skip
    prompts = encode(read_rows([{"prompt": "the", "completion": " the end"}]), pair.student, 40)
    prompts = prompts.followed_by([prompts.completions[0][:-1]])  # no end of text
    task = Task.of("language", pair.student.outputs)
    batch = TextSamples(prompts, pair.student.pad, task).fetch([0])
    logits = pair.student.module(**batch.inputs).logits.detach().double().requires_grad_()
    step = Step(batch.inputs, batch.labels, View(logits), None, task)
    signal = pair.signal(step, 0.0, True)
    assert signal.chunks == int(signal.student.sizes.sum()) == int(signal.teacher.sizes.sum()) == 2
    found = CrossTokenizer("gold").cross_loss(text_step(step), signal).total
    # _compute_hybrid_uld_loss of TRL 1.16, summed over places instead of their mean
    at = signal.student.first_places
    q, p = logits[0, at].softmax(-1), signal.first.log_probabilities(torch.arange(2)).double().exp()
    ours, theirs = pair.student.tokenizer.get_vocab(), pair.teacher.tokenizer.get_vocab()
    both = [t for t in theirs if t in ours]
    a, b = q[:, [ours[t] for t in both]], p[:, [theirs[t] for t in both]]
    m = (a + b) / 2
    matched = 0.5 * (b * (b / m).log() + a * (a / m).log()).sum()
    left = [v[:, [table[t] for t in table if t not in both]].sort(-1, descending=True).values
            for v, table in ((q, ours), (p, theirs))]  # fmt: skip
    weight, rest = len(both) / len(theirs), torch.zeros(())
    if left[0].shape[1] and left[1].shape[1]:
        width = max(v.shape[1] for v in left)
        left = [torch.nn.functional.pad(v, (0, width - v.shape[1])) for v in left]
        rest = (left[0] - left[1]).abs().sum()
    expected = weight * matched + (1 - weight) * rest
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    grads = [torch.autograd.grad(x, logits)[0] for x in (found, expected)]
    torch.testing.assert_close(*grads, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", ["alm", "uld", "gold"])
def test_states_and_heads_give_the_loss_and_gradients_of_logits(
    make_bpe, make_model, method, monkeypatch, largest
):
    """Both models' logits are made two tokens at a time, and are never whole."""
    found, rows = [], [{"prompt": "the", "completion": " cost is 1234 and 5678, naïve"}] * 4
    for few in (1, 1 << 20):
        monkeypatch.setattr(linear_head, "FEW_OUTPUTS", few)
        monkeypatch.setitem(chunked._ELEMENTS, "cpu", 700)
        monkeypatch.setattr(chunked, "_HEAD_ROWS", 1)
        pair = Bridge(make_model(make_bpe(320), "big", 0, 24), make_model(make_bpe(290), "small"))
        for model in (pair.teacher, pair.student):
            model.module.double()
        student = pair.student.module
        head = linear_head.linear_head(student)
        assert (head is None) is (few > 1)
        step, _ = step_of(pair, rows=rows)
        with watched(student, (), "student", head=head) as network, largest() as seen:
            view = network({**step.inputs, "use_cache": False})
            step = Step(step.inputs, step.labels, view, None, step.task)
            signal = pair.signal(step, 0.0, method != "alm")
            loss = CrossTokenizer(method, cross_entropy=0.5).cross_loss(text_step(step), signal)
        found.append((loss.total.item(), torch.autograd.grad(loss.total, student.parameters())))
        tokens = step.inputs["input_ids"].numel()
        assert (seen.numbers < tokens * 290) is (few == 1)  # weights, and chunks
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    for a, b in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"method": "mined"}, "method"), ({"chunk_temperature": 0}, "chunk_temperature"),
     ({"bias_threshold": 1.0}, "bias_threshold"), ({"cross_entropy": -1}, "cross_entropy"),
     ({"share": 2}, "share")],
)  # fmt: skip
def test_settings_without_a_meaning_are_refused(settings, message):
    with pytest.raises(InvalidInput, match=message):
        CrossTokenizer(**settings)
