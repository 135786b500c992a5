from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.language.lora import adapted, merged  # noqa: E402


def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))


SETTINGS = {"r": 2, "lora_alpha": 4, "target_modules": ["0", "2"]}


def test_few_weights_are_trained_and_the_seed_is_their_own():
    before = torch.random.get_rng_state()
    made = [adapted(net(), SETTINGS, seed) for seed in (1, 1, 2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    trained = [{n: p for n, p in m.named_parameters() if p.requires_grad} for m in made]
    assert all("lora" in name for name in trained[0])
    assert sum(p.numel() for p in trained[0].values()) == 2 * (4 + 3 + 3 + 2)
    same = [all(torch.equal(p, other[n]) for n, p in trained[0].items()) for other in trained]
    assert same == [True, True, False]


def test_adapters_are_added_to_the_weights():
    rows, start = torch.eye(4), net()
    made = adapted(net(), SETTINGS)
    assert torch.equal(made(rows), start(rows))  # they begin at nothing
    with torch.no_grad():
        for name, p in made.named_parameters():
            if "lora_B" in name:
                p.fill_(0.5)
    expected = made(rows)
    plain = merged(made)
    assert [type(m) for m in plain] == [type(m) for m in start]
    torch.testing.assert_close(plain(rows), expected)
    assert not torch.allclose(expected, start(rows))
    assert merged(start) is start


@pytest.mark.parametrize("given", [0, -1, True, "16", 2.5, {"rank": 4}])
def test_what_is_no_rank_and_no_settings_is_refused(given):
    with pytest.raises(InvalidInput, match=r"lora is .*Give a rank such as 16"):
        adapted(net(), given)
