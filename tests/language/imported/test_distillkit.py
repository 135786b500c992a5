import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from limbeck.core.errors import FileRefused, InvalidInput  # noqa: E402
from limbeck.language.imported.distillkit import DistillKitLayout  # noqa: E402
from tests.language.imported.conftest import (  # noqa: E402
    TEXTS,
    K,
    imported,
    log_probabilities,
    tokens,
)

LAYOUT = {
    "d": 34, "k": K, "exact_k": 2, "exact_dtype": "bfloat16", "polynomial_terms": [0, 1, "sqrt"],
    "term_dtype": "float32", "residual_bins": [
        {"scale_dtype": "float16", "element_bits": 5, "num_elements": 3}
    ], "delta_encoding": True, "error_diffusion": False, "normalize_t": True,
}  # fmt: skip


def bits(numbers, width):
    stream = "".join(format(int(n), f"0{width}b") for n in numbers)
    stream += "0" * (-len(stream) % 8)
    return [int(stream[i : i + 8], 2) for i in range(0, len(stream), 8)]


def packed(log_p):
    """A place by DistillKit's rules, one number at a time; returns what a reader must find, too."""
    values, ids = log_p.topk(K)
    deltas = torch.cat([values[:1], values.diff()]).double()
    exact = deltas[:2].bfloat16()
    t = torch.linspace(0, 1, K - 2, dtype=torch.float64)
    terms = torch.stack([t**0, t, t.sqrt()], 1)
    fit = torch.linalg.lstsq(terms, deltas[2:, None]).solution[:, 0].float()
    residual = deltas[2:5] - (terms @ fit.double())[:3]
    scale = (residual.abs().amax() / 16).half()
    whole = (residual / scale.double()).round().clamp(-16, 15)
    rest = terms @ fit.double()
    rest[:3] += whole * scale.double()
    out = [*exact.view(torch.uint8).tolist(), *fit.view(torch.uint8).tolist(),
           *scale[None].view(torch.uint8).tolist(), *bits(whole + 16, 5)]  # fmt: skip
    return out, bits(ids, 6), ids, torch.cat([exact.double(), rest]).cumsum(0)


def test_distillkit_is_unpacked_bit_by_bit(teacher):
    logs = log_probabilities(teacher, tokens(teacher, TEXTS[0]))
    logs[0, :12] = torch.linspace(-1, -4, 12)  # so that residuals are not all zero
    places = [packed(log_p) for log_p in logs]
    raw, ids = (np.array([p[i] for p in places], dtype=np.uint8) for i in (0, 1))
    found = DistillKitLayout.read(LAYOUT).unpacked(raw, ids)
    assert found[0].tolist() == [p[2].tolist() for p in places]
    assert np.allclose(found[1], [p[3].numpy() for p in places], atol=1e-6)
    with pytest.raises(InvalidInput, match="bytes"):
        DistillKitLayout.read({**LAYOUT, "exact_k": 3}).unpacked(raw, ids)


def test_distillkit_folders_bring_their_configuration(teacher, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    yaml = pytest.importorskip("yaml")
    import pyarrow.parquet as pq

    source = tmp_path / "distillkit"
    source.mkdir()
    rows = []
    for text in TEXTS:
        ids = tokens(teacher, text)
        places = [packed(p) for p in log_probabilities(teacher, ids)[:-1]]
        rows.append({"input_ids": ids, "compressed_logprobs": [p[0] for p in places],
                     "bytepacked_indices": [p[1] for p in places]})  # fmt: skip
    pq.write_table(pyarrow.Table.from_pylist(rows), source / "data_0.parquet")
    with pytest.raises(FileRefused, match="compression="):
        imported(teacher, source, tmp_path / "out", written_by="distillkit")
    for odd in ("a: [", "d: 34\nresidual_bins: [{bits: 3}]", "d: 34\nresidual_bins: 5", "7"):
        (source / "compression_config.yaml").write_text(odd)
        with pytest.raises((FileRefused, InvalidInput), match="compression"):
            imported(teacher, source, tmp_path / "out", written_by="distillkit")
    (source / "compression_config.yaml").write_text(yaml.safe_dump(LAYOUT))
    found = imported(teacher, source, tmp_path / "out", written_by="distillkit")
    assert found.keep == f"top:{K}"
    assert [found.tokens(i)[1] for i in range(3)] == [tokens(teacher, t)[1:] for t in TEXTS]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exact_dtype": "bfloat"}, "A number type is 'bfloat'. Did you mean 'bfloat16'"),
        ({"k": 34}, "d is 34, k 34 and exact_k 2"),
        ({"exact_k": 7}, "exact_k <= k < d"),
        ({"polynomial_terms": ["log"]}, "A polynomial term is 'log'"),
        ({"residual_bins": [{"bits": 3}]}, "compression does not fit"),
        ({"outputs": 34}, "compression does not fit"),
    ],
)
def test_layouts_without_a_meaning_are_refused(change, message):
    with pytest.raises(InvalidInput, match=message):
        DistillKitLayout.read({**LAYOUT, **change})


def test_one_bit_says_on_which_side_a_value_is():
    bins = ({"scale_dtype": "float32", "element_bits": 1, "num_elements": 3},)
    layout = DistillKitLayout.read({"d": 5, "k": 3, "exact_k": 0, "residual_bins": bins,
                                    "delta_encoding": False})  # fmt: skip
    logs = [*np.array([2.0], dtype=np.float32).view(np.uint8), *bits([1, 0, 1], 1)]
    ids, log_p = layout.unpacked(np.array([logs], dtype=np.uint8),
                                 np.array([bits([4, 0, 3], 3)], dtype=np.uint8))  # fmt: skip
    assert ids.tolist() == [[4, 0, 3]]
    assert log_p.tolist() == [[2.0, -2.0, 2.0]]
