from __future__ import annotations

import random

import numpy as np

from limbeck.language.generated.near_duplicates import jaccard, near_duplicates, shingles


def test_all_pairs_above_the_threshold_are_found_and_no_other():
    rng = random.Random(0)
    texts = []
    for _ in range(100):
        base = [rng.choice("abcdefghijklmnop") + str(rng.randint(0, 30)) for _ in range(40)]
        texts.append(" ".join(base))
        for _ in range(2):
            other = list(base)
            for at in rng.sample(range(40), rng.randint(0, 4)):
                other[at] = "x"
            texts.append(" ".join(other))
    found = near_duplicates(texts, 0.7)
    sets = [shingles(text) for text in texts]
    wanted = {}
    for i in range(len(texts)):
        near = [j for j in range(i) if j not in wanted and jaccard(sets[i], sets[j]) >= 0.7]
        if near:
            wanted[i] = near[0]
    assert 20 < len(wanted) < 200
    missed = set(wanted) - set(found)
    assert len(missed) <= 0.01 * len(wanted)
    assert all(jaccard(sets[i], sets[j]) >= 0.7 for i, j in found.items())


def test_a_signature_estimates_the_jaccard_similarity():
    from limbeck.language.generated.near_duplicates import _signatures

    rng = random.Random(1)
    hashes = [rng.getrandbits(32) for _ in range(400)]
    a, b = frozenset(hashes[:300]), frozenset(hashes[100:])
    one, two = _signatures([a, b], 4096, 0)
    assert abs((one == two).mean() - jaccard(a, b)) < 4 * np.sqrt(0.25 / 4096)
