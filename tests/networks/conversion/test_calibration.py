from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from limbeck.networks.conversion.calibration import calibrate  # noqa: E402
from limbeck.networks.conversion.convert import convert, converted_layers  # noqa: E402
from limbeck.networks.conversion.hidden_states import walk_blocks  # noqa: E402
from limbeck.networks.conversion.hybrid import Hybrid  # noqa: E402
from limbeck.networks.conversion.mixers.rows import TokenRows  # noqa: E402

ALL = frozenset({0, 1})


def blocks():
    return torch.randint(1, 20, (12, 16), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("family", "mixer"), [("llama", "gated_recurrence"), ("gpt2", "gated_delta")]
)
@torch.no_grad()
def test_calibrated_heads_are_nearer_and_no_other_scale_is_nearer(make_decoder, family, mixer):
    """The squared distance to attention's heads: no other scale of a channel has less."""
    teacher = make_decoder(family, 2)
    hybrid = Hybrid(0.0, mixer)
    plain, student = convert(teacher, (), hybrid), convert(teacher, (), hybrid)
    calibrate(teacher, student, blocks(), ALL)
    layers = zip(walk_blocks(teacher, blocks(), ALL), converted_layers(plain),
                 converted_layers(student), strict=True)  # fmt: skip
    for states, before, after in layers:
        wanted = states.heads_written.unflatten(-1, (4, 8))
        rows = TokenRows(rotary=states.rotary)

        def apart(layer, wanted=wanted, rows=rows, read=states.attention_read):
            return float((wanted - layer.mixer.heads_out(read, rows, None)[0]).square().sum())

        least = apart(after)
        assert least < 0.9 * apart(before)
        assert least < float(wanted.square().sum())
        for factor in (0.9, 1.1):
            after.mixer.norm[1] *= factor
            assert apart(after) > least
            after.mixer.norm[1] /= factor
        found = {round(rate, 4) for rate in after.mixer.A_log.exp().tolist()}
        assert found <= {0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0}
