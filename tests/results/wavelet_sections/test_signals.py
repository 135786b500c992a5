from __future__ import annotations

import re

import numpy as np

from limbeck.results.wavelet_sections.signals import picture_map, picture_pair, signal_chart


def test_a_signal_and_what_is_kept_are_two_lines_of_its_length():
    drawn = signal_chart(np.arange(9.0), np.zeros(9), "one")
    lines = re.findall(r'd="M([^"]+)" class="(\w+)"', drawn)
    assert [kind for _, kind in lines] == ["original", "kept"]
    assert all(points.count("L") == 8 for points, _ in lines)
    assert all(f">{t}</text>" in drawn for t in (0, 4, 8))


def area(path: str) -> float:
    """Of the runs "M x y h wide v high H x z"."""
    runs = re.findall(r"h(-?[\d.]+)v([\d.]+)H", path)
    return sum(float(w) * float(h) for w, h in runs)


def test_a_picture_is_covered_by_its_greys_once():
    picture = np.random.default_rng(0).random((1, 8, 8))
    drawn = picture_pair(picture, 0 * picture, "one")
    for half in drawn.split("<g ")[1:]:
        paths = re.findall(r'<path d="([^"]+)" class="grey"', half)
        assert abs(sum(map(area, paths)) - 112**2) < 60
    assert "fill:rgb(0,0,0)" in drawn
    assert "fill:rgb(255,255,255)" in drawn


def test_what_is_kept_is_in_the_greys_of_the_picture():
    picture = np.array([[[0.0, 1.0], [0.0, 1.0]]])
    drawn = picture_pair(picture, picture / 2 + 5, "one")  # beyond white
    second = drawn.split("<g ")[2]
    assert re.findall(r"rgb\((\d+)", second) == ["255"]


def test_large_pictures_are_averaged_and_channels_as_well():
    large = np.zeros((2, 100, 50))
    large[0] = 1.0
    drawn = picture_pair(large, large, "flat")
    assert drawn.count('class="grey"') == 2  # one grey each
    assert len(picture_map(np.random.default_rng(0).random((256, 256)), 1.0, "map")) < 60_000


def test_a_map_is_darker_where_there_is_more():
    drawn = picture_map(np.array([[0.0, 1.0], [4.0, 0.0]]), 4.0, "map")
    assert re.findall(r'fill-opacity="([\d.]+)"', drawn) == ["0.5", "1"]
