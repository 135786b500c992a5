"""Test rows that no training saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from limbeck.api.prepare.leakage import counted_once, fresh_rows, unchosen_rows
from limbeck.api.prepare.splits import two_sides
from limbeck.core.errors import InvalidInput
from limbeck.networks.datasets.data import Samples
from limbeck.networks.training.settings import Training


def samples(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=g), torch.randint(0, 2, (n,), generator=g)


def test_copies_of_training_rows_are_left_out_of_rows_set_aside() -> None:
    x, y = samples(80, 0)
    z, w = samples(30, 1)
    rows, aside = Samples.of((x, y)), Samples.of((torch.cat([z, x[:5]]), torch.cat([w, y[:5]])))
    layout, seen, kept, notes = fresh_rows(rows, aside, False, Training())
    assert len(kept) == 30
    torch.testing.assert_close(kept.fetch(range(30)).inputs, z)
    assert seen is not None
    assert len(seen) == 80
    assert notes == ["5 test rows were left out: training rows repeat them."]
    assert layout.rows([z.numpy()]).shape == (30, 3)
    with pytest.raises(InvalidInput, match="5 of the 35 test rows are among"):
        fresh_rows(rows, aside, True, Training())


def test_rows_that_choose_the_student_are_no_test_rows() -> None:
    """They would choose epoch and seed, and then certify what they chose."""
    x, y = samples(60, 0)
    z, w = samples(30, 1)
    aside = Samples.of((torch.cat([z, x[:20]]), torch.cat([w, y[:20]])))
    validation = Samples.of((x, y))
    with pytest.raises(InvalidInput, match="20 of the 50 test rows are among the validation rows"):
        unchosen_rows(aside, validation, True, Training())
    kept, notes = unchosen_rows(aside, validation, False, Training())
    torch.testing.assert_close(kept.fetch(range(30)).inputs, z)
    assert len(kept) == 30
    assert notes == ["20 test rows were left out: validation rows repeat them."]
    assert unchosen_rows(aside, None, True, Training()) == (aside, [])
    with pytest.raises(InvalidInput, match="Only 0 of the rows set aside"):
        unchosen_rows(validation, validation, False, Training())


def padded(rows: list[list[int]], pad: int, left: bool) -> Samples:
    def collate(items: list[list[int]]) -> dict[str, torch.Tensor]:
        width = max(map(len, items))
        fill = [[pad] * (width - len(i)) for i in items]
        pairs = list(zip(items, fill, strict=True))
        masks = [([1] * len(i), [0] * len(f)) for i, f in pairs]
        return {
            "input_ids": torch.tensor([f + i if left else i + f for i, f in pairs]),
            "attention_mask": torch.tensor([f + i if left else i + f for i, f in masks]),
        }

    return Samples.of(DataLoader(rows, batch_size=4, collate_fn=collate))  # type: ignore[arg-type]


@pytest.mark.parametrize("left", [False, True])
def test_copies_are_found_however_they_are_padded(left: bool) -> None:
    """The same sentence in a batch of longer ones: other tokens fill it up, and other places."""
    draw = np.random.default_rng(0)
    one, two = (
        [
            [*draw.integers(2, 50, draw.integers(1, 9)).tolist(), n]
            for n in range(40 * p, 40 + 40 * p)
        ]
        for p in (2, 3)
    )
    leaked = [*one[:20], *two]
    settings = Training(batch_size=4)
    with pytest.raises(InvalidInput, match="20 of the 60 test rows are among"):
        fresh_rows(padded(one, 1, left), padded(leaked, 1, left), True, settings)
    assert len(fresh_rows(padded(one, 1, left), padded(two, 1, left), True, settings)[2]) == 40


def test_two_sides_share_nothing_and_follow_the_seed() -> None:
    data = torch.arange(100.0)[:, None]
    sides = [two_sides(data, None, None, 0.3, seed, Training())[:2] for seed in (0, 0, 1)]
    found = [s.fetch(range(len(s))).inputs[:, 0].tolist() for pair in sides for s in pair]
    assert sorted(found[0] + found[1]) == list(range(100))
    assert len(found[1]) == 30
    assert found[1] == found[3]
    assert found[1] != found[5]


def test_few_test_rows_are_refused() -> None:
    with pytest.raises(InvalidInput, match="There are 3 test rows"):
        two_sides(samples(50, 0), None, samples(3, 1), 0.3, 0, Training())
    with pytest.raises(InvalidInput, match="4 of 13 rows would be set aside"):
        two_sides(samples(13, 0), None, None, 0.3, 0, Training())


def test_what_is_augmented_is_said() -> None:
    class Noisy(Dataset[torch.Tensor]):
        def __len__(self) -> int:
            return 60

        def __getitem__(self, i: int) -> torch.Tensor:
            return i + torch.rand(3)

    rows, aside, _ = two_sides(Noisy(), None, None, 0.3, 0, Training())
    _, seen, kept, notes = fresh_rows(rows, aside, False, Training())
    assert seen is None
    assert len(kept) == 18
    assert [n.split(":")[0] for n in notes] == [
        "Test rows are augmented at random",
        "Training rows are augmented at random",
    ]


def test_copies_come_to_one_side_and_count_once() -> None:
    x, y = samples(60, 0)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    many, labels = x.repeat(5, 1)[order], y.repeat(5)[order]
    rows, aside, _ = two_sides((many, labels), None, None, 0.3, 0, Training())
    layout, _, kept, notes = fresh_rows(rows, aside, False, Training())
    assert (len(aside), len(kept), notes) == (90, 90, [])  # 18 rows, with all of their copies
    once, notes = counted_once(kept, layout, Training(), "auto")
    assert len(once) == 18
    assert notes == ["72 test rows copy others, and were left out: each row counts once."]
    all_of_them, notes = counted_once(kept, layout, Training(), "keep")
    assert (len(all_of_them), notes) == (90, [])
    own = torch.cat([samples(9, 3)[0]] * 4)
    with pytest.raises(InvalidInput, match="36 test rows are copies of 9 different ones"):
        counted_once(Samples.of(own), layout, Training(), "auto")


def test_training_rows_in_another_precision_are_known() -> None:
    """They are equal within the rounding of float32, though training repeats itself."""
    x, y = samples(60, 0)
    rows = Samples.of((x.repeat(4, 1).double() * (1 + 1e-12), y.repeat(4)))
    with pytest.raises(InvalidInput, match="5 of the 35 test rows are among the training rows"):
        fresh_rows(rows, Samples.of(torch.cat([samples(30, 1)[0], x[:5]]).double()), True,
                   Training())  # fmt: skip


def test_tokens_coincide_by_nature() -> None:
    g = torch.Generator().manual_seed(0)
    words = torch.randint(0, 3, (400, 4), generator=g)
    rows, aside, _ = two_sides((words, words[:, 0]), None, None, 0.3, 0, Training())
    layout, _, kept, notes = fresh_rows(rows, aside, False, Training())
    assert (len(kept), notes) == (120, [])
    assert counted_once(kept, layout, Training(), "auto") == (kept, [])
