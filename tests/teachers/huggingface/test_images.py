from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.teachers.huggingface.images import image_batch, processed

ROWS = np.random.default_rng(0).integers(256, size=(2, 5, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("form", ["last", "first", "list"])
def test_channels_come_last(form):
    given = {"last": ROWS, "first": ROWS.transpose(0, 3, 1, 2), "list": list(ROWS)}[form]
    for image, expected in zip(image_batch(given), ROWS, strict=True):
        assert np.array_equal(image, expected)


def test_grey_images_have_three_equal_channels():
    grey = ROWS[..., 0]
    for given in (grey, grey[..., None], grey[:, None]):
        for image, expected in zip(image_batch(given), grey, strict=True):
            assert np.array_equal(image, np.stack([expected] * 3, axis=-1))


@pytest.mark.parametrize("shape", [(4, 4), (2, 5, 4, 2), (2, 1, 5, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InvalidInput, match="The images have shape"):
        image_batch(np.zeros(shape))


def test_fractions_are_not_divided_again():
    asked = []

    def processor(images, **settings):
        asked.append(settings.get("do_rescale", True))
        return {"pixel_values": images}

    for images in (ROWS, ROWS / 255, ROWS.astype(float), [ROWS[0] / 255, ROWS[1]]):
        processed(processor, list(images))
    assert asked == [True, False, True, True]
