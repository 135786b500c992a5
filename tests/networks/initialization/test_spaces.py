from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from limbeck.networks.initialization.spaces import (  # noqa: E402
    Factor,
    Space,
    chained,
    fix,
    join,
    lose,
    portion,
    reshaped,
    resolved,
    roots,
    tabled,
)

pytestmark = pytest.mark.torch


def axis(space):
    return (Factor(space.size, space),)


def free(size):
    return (Factor(size),)


def sizes(axes):
    out = []
    for a in axes:
        n = 1
        for f in a:
            n *= f.size
        out.append(n)
    return out


def test_heads_are_cut_and_put_together_again():
    hidden = Space(12)
    cut = reshaped([free(2), free(5), axis(hidden)], (2, 5, 3, 4))
    assert [(f.size, f.piece) for a in cut[2:] for f in a] == [(3, 0), (4, 1)]
    assert hidden.split == (3, 4)
    whole = reshaped(cut, (10, 12))
    assert whole[1][0].space is hidden
    assert whole[1][0].piece is None
    turned = reshaped([cut[0], cut[1], cut[3], cut[2]], (2, 5, 12))  # widths before heads
    assert [f.piece for f in turned[2]] == [1, 0]


def test_maps_are_flattened():
    channels, read = Space(6), Space(24)
    flat = reshaped([free(3), axis(channels), free(2), free(2)], (3, 24))
    assert [f.size for f in flat[1]] == [6, 2, 2]
    join(axis(read), flat[1])
    assert resolved(axis(read))[0].space is channels


def test_another_cut_is_lost():
    hidden = Space(12)
    reshaped([axis(hidden)], (3, 4))
    assert not hidden.lost
    reshaped([axis(hidden)], (4, 3))
    assert hidden.lost


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.randoms())
def test_any_reshape_has_the_sizes_asked_for(shape, random):
    total = 1
    for s in shape:
        total *= s
    target, left = [], total
    while left > 1:
        pick = random.choice([d for d in range(2, left + 1) if left % d == 0])
        target.append(pick)
        left //= pick
    target = target or [1]
    spaces = [Space(s) for s in shape]
    found = reshaped([axis(s) for s in spaces], target)
    assert sizes(found) == target
    back = reshaped(found, shape)
    assert sizes(back) == shape
    for space, a in zip(spaces, back, strict=True):  # who is followed comes back as it was
        if space.size > 1 and not space.lost and a[0].space is not None and a[0].piece is None:
            assert a[0].space.root() is space


def test_joined_spaces_share_what_is_known():
    a, b, c = Space(4), Space(4), Space(4, fixed=True)
    join(axis(a), axis(b))
    join(axis(b), axis(c))
    assert a.root() is b.root() is c.root()
    assert a.root().fixed
    assert not a.root().lost
    join(axis(a), free(4))
    lose(axis(c))
    assert b.root().lost


def test_spaces_of_other_sizes_are_lost():
    a, b = Space(4), Space(5)
    join(axis(a), axis(b))
    assert a.root().lost


def parts(a):
    (whole,) = resolved(a)
    return [(sum(f.size for f in part), part[0].space) for part in whole.parts]


def test_parts_lie_one_after_another_and_are_cut_where_asked():
    first, second = Space(4), Space(6)
    both = chained([axis(first), axis(second)])
    assert parts(both) == [(4, first), (6, second)]
    three = chained([both, axis(Space(2))])
    assert [n for n, _ in parts(three)] == [4, 6, 2]  # no parts of parts
    assert resolved(portion(both, 4, 10))[0].space is second
    inner = portion(both, 2, 7)  # two of the first, three of the second
    assert [n for n, _ in parts(inner)] == [2, 3]
    assert [n for n, _ in parts(both)] == [2, 2, 3, 3]
    again = portion(both, 2, 7)
    assert [s.root() for _, s in parts(again)] == [s.root() for _, s in parts(inner)]


def test_what_reads_parts_is_made_of_them():
    a, b, read, other = Space(4), Space(6), Space(10), Space(10)
    join(axis(read), chained([axis(a), axis(b)]))
    assert list(roots(axis(read))) == [a, b]
    join(axis(other), axis(read))
    fix(portion(axis(other), 0, 4))
    assert (a.fixed, b.fixed) == (True, False)
    lose(axis(read))
    assert b.lost
    unlike = chained([axis(Space(5)), axis(Space(5))])
    join(unlike, axis(read))
    assert all(s.lost for s in roots(unlike))


def test_pieces_may_become_a_table():
    packed = Space(12)
    three, width = reshaped([axis(packed)], (3, 4))
    tabled(three)
    fix(three)
    (rows,), (columns,) = resolved(three), resolved(width)
    assert (rows.size, rows.space.fixed) == (3, True)
    assert (columns.size, columns.space.fixed) == (4, False)
    assert [f.space for f in resolved(axis(packed))] == [rows.space, columns.space]
    heads = reshaped([width], (2, 2))[0]
    assert (heads[0].space, heads[0].piece) == (columns.space, 0)
    assert not packed.lost


def test_pieces_of_sets_of_other_sizes_stay_apart():
    queries, keys = Space(12), Space(6)
    (_, a), (_, b) = reshaped([axis(queries)], (3, 4)), reshaped([axis(keys)], (2, 3))
    join(a, b)
    assert queries.lost
    queries, keys = Space(12), Space(8)
    (_, a), (_, b) = reshaped([axis(queries)], (3, 4)), reshaped([axis(keys)], (2, 4))
    join(a, b)
    assert queries.lost
    assert keys.lost
    assert queries.root() is not keys.root()
