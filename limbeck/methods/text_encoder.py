"""A small encoder of transformers fine-tuned on a teacher's soft answers, and exported to ONNX."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from limbeck.core.errors import InvalidInput, MissingExtra, whole_number
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.methods.text_method import AnsweredTexts, FoundText, TextMethod
from limbeck.students.text_classifier.encoder_classifier import EncoderClassifier
from limbeck.teachers.huggingface.folder import check_code

__all__ = ["DistillTextEncoder"]

_BATCH, _HEAD, _LONGEST = 32, 1e-3, 256


@METHODS.register("text_encoder")
@dataclass(frozen=True)
class DistillTextEncoder(TextMethod):
    """Fine-tune an encoder on the teacher's soft answers; its weights become 8-bit whole numbers.

    AdamW, batches of 32; the cross-entropy to the soft
    answers. ONNX runtime's dynamic quantization makes the weights of matrix products 8-bit.

    Parameters
    ----------
    encoder : str
        ``"hf:folder"`` of an encoder with safetensors weights and a fast tokenizer.
    epochs : int
        How often the texts are seen.
    learning_rate : float
        Of the encoder; that of the head is 1e-3 or this, whichever is larger.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    method: ClassVar[str] = "encoder"
    effort: ClassVar[float] = 4.0
    name: ClassVar[str] = "fine-tuned encoder"

    encoder: str = ""
    epochs: int = 2
    learning_rate: float = 5e-5

    def __post_init__(self) -> None:
        whole_number("epochs", self.epochs, 1)
        if not 0 < self.learning_rate < 1:
            raise InvalidInput(
                f"learning_rate is {self.learning_rate!r}.", "Give a number between 0 and 1."
            )
        folder = str(self.encoder).removeprefix("hf:")
        if not self.encoder or not (Path(folder) / "config.json").is_file():
            raise InvalidInput(
                f"encoder is {self.encoder!r}, which is no folder of transformers.",
                'Give a local folder, such as encoder="hf:./all-MiniLM-L6-v2".',
            )

    def fitted(self, data: AnsweredTexts, seed: int, tell: Progress) -> FoundText:
        """The encoder after its epochs.

        Parameters
        ----------
        data, seed, tell
            As for `TextMethod.fitted`.
        """
        if not data.task.classifies:
            raise InvalidInput("An encoder was asked for values.", "Name other kinds by among=.")
        try:
            import onnx  # noqa: F401
            import torch
            import transformers  # noqa: F401
        except ImportError as error:
            raise MissingExtra(
                f"Fine-tuning an encoder needs {error.name}.",
                "pip install 'limbeck[huggingface,onnx]'",
            ) from None
        texts = data.rows.features.texts(data.rows)
        target = data.soft if data.soft.shape[1] > 2 else data.soft[:, 1:]
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            model, tokenizer = _loaded(str(self.encoder).removeprefix("hf:"), target.shape[1])
            _train(model, tokenizer, texts, target, data.weight, self, seed, tell)
        longest = int(min(_LONGEST, tokenizer.model_max_length))
        graph = _exported(model)
        student = EncoderClassifier(data.task)
        student.take(
            graph, tokenizer.backend_tokenizer.to_str(), longest, data.rows.features, data.task
        )
        message = (
            f"{Path(self.encoder.removeprefix('hf:')).name} fine-tuned for {self.epochs} epochs,"
            f" {len(graph) / 1e6:.1f} MB in ONNX with 8-bit weights."
        )
        return FoundText(student, message, {"epochs": self.epochs})


def _loaded(folder: str, outputs: int) -> Any:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    check_code(Path(folder))
    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    bar, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # the head is new, as it should be
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=outputs, use_safetensors=True, attn_implementation="eager",
            id2label={i: str(i) for i in range(outputs)}, **given,
        )  # fmt: skip
        tokenizer = AutoTokenizer.from_pretrained(folder, **given)
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
    if not tokenizer.is_fast:
        raise InvalidInput(f"{folder!r} has no fast tokenizer.", "Give another encoder.")
    return model, tokenizer


def _train(
    model: Any, tokenizer: Any, texts: Any, target: Any, weight: Any,
    settings: DistillTextEncoder, seed: int, tell: Progress,
) -> None:  # fmt: skip
    import torch
    from torch.nn import functional

    head = [p for n, p in model.named_parameters() if n.startswith(("classifier", "score"))]
    own = {id(p) for p in head}
    body = [p for p in model.parameters() if id(p) not in own]
    rate, epochs = settings.learning_rate, settings.epochs
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": head, "lr": max(_HEAD, rate)}]
    )
    rng, steps = np.random.default_rng(seed), -(-len(texts) // _BATCH)
    goal = torch.as_tensor(target, dtype=torch.float32)
    share = torch.as_tensor(weight / weight.mean(), dtype=torch.float32)
    model.train()
    for epoch in range(epochs):
        order = rng.permutation(len(texts))
        for step in range(steps):
            tell("fine-tuning the encoder", epoch * steps + step, epochs * steps)
            some = order[step * _BATCH : (step + 1) * _BATCH]
            batch = tokenizer(
                texts[some].tolist(), padding=True, truncation=True, max_length=_LONGEST,
                return_tensors="pt", return_token_type_ids=False,
            )  # fmt: skip
            logits = model(**batch).logits
            if logits.shape[1] == 1:
                each = functional.binary_cross_entropy_with_logits(
                    logits, goal[some], reduction="none"
                )[:, 0]
            else:
                each = functional.cross_entropy(logits, goal[some], reduction="none")
            (each * share[some]).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
    model.eval()


def _exported(model: Any) -> bytes:
    """The ONNX file, with 8-bit weights."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from limbeck.export.onnx_graph import quiet

    class Logits(torch.nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, ids: Any, mask: Any) -> Any:
            return self.inner(input_ids=ids, attention_mask=mask).logits

    ids = torch.tensor([[1, 2, 3, 4], [1, 2, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    loggers = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir", "root")
    with quiet(*loggers), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        program = torch.onnx.export(
            Logits(model), (ids, mask), input_names=["ids", "mask"], output_names=["logits"],
            dynamic_shapes=(free, free), dynamo=True, verbose=False,
        )  # fmt: skip
        proto = program.model_proto  # type: ignore[union-attr]
        del proto.graph.value_info[:]  # shapes of the exporter that quantization doubts
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
        plain.write_bytes(proto.SerializeToString())
        quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
        return small.read_bytes()
