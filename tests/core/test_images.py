from __future__ import annotations

import numpy as np
import pytest

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.images import are_image_paths, image_shape, images_of

pillow = pytest.importorskip("PIL.Image")


def files(folder, sizes):
    rng, paths = np.random.default_rng(0), []
    for i, (w, h) in enumerate(sizes):
        pixels = rng.integers(64, 256, size=(h, w, 3), dtype=np.uint8)
        pixels[: h // 2] //= 1 + 60 * (i % 2)  # every second one is dark above
        paths.append(str(folder / f"{i}.png"))
        pillow.fromarray(pixels).save(paths[-1])
    return paths


def test_only_paths_that_are_there_are_images(tmp_path):
    paths = files(tmp_path, [(4, 4)])
    assert are_image_paths(paths)
    assert are_image_paths([tmp_path / "0.png"])
    assert not are_image_paths([str(tmp_path / "none.png")])
    assert not are_image_paths(["0.txt"])


def test_small_images_of_one_size_are_seen_as_they_are(tmp_path):
    paths = files(tmp_path, [(5, 3)] * 3)
    assert image_shape(paths) == (3, 3, 5)
    seen = images_of(paths)
    direct = np.stack([np.asarray(pillow.open(p)) for p in paths])
    np.testing.assert_allclose(seen, np.moveaxis(direct, 3, 1) / 255, atol=1e-7)
    features = Features.of(paths)
    np.testing.assert_allclose(features.encode(paths), seen.reshape(3, -1), atol=1e-7)
    assert features.rows(paths)[:2].native().tolist() == paths[:2]
    assert image_shape(files(tmp_path, [(5, 3), (200, 3)])) == (3, 32, 32)


def test_a_teacher_reads_the_files_and_the_student_the_pixels(tmp_path):
    paths = files(tmp_path, [(6, 4), (8, 5)] * 20)
    asked = []

    def teacher(rows):
        asked.extend(rows)
        return np.array([np.asarray(pillow.open(p))[:2].mean() > 100 for p in rows])

    found = limbeck.distill(
        teacher, paths, into="tree", method="greedy", classes=[False, True], queries=0,
        max_leaves=3, progress=False,
    )  # fmt: skip
    assert set(asked) == set(paths)
    assert found.certificate.epsilon < 0.25
    assert "32 x 32 pixels" in " ".join(found.notes)
    found.save(tmp_path / "run")
    again = limbeck.load(tmp_path / "run")
    np.testing.assert_array_equal(again.student.predict(paths), found.student.predict(paths))


def test_what_is_no_image_is_refused(tmp_path):
    paths = files(tmp_path, [(4, 4), (5, 5)])
    with pytest.raises(InvalidInput, match="2 sizes"):
        images_of(paths)
    (tmp_path / "1.png").write_text("no image")
    with pytest.raises(FileRefused, match="no image"):
        image_shape(paths)
