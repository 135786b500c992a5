"""A converted language model with its tokenizer: it generates, is saved and opened again."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.strict_json import read_json, write_json
from limbeck.networks.conversion.convert import converted_layers, replace_attention
from limbeck.networks.conversion.hybrid import Hybrid

__all__ = ["HybridModel"]

_KIND, _VERSION = "limbeck-hybrid", 1
_BASE = "base"  # apart: a folder that transformers opened itself would get random attention


@dataclass(frozen=True)
class _Record:
    layers: int
    kept: tuple[int, ...]
    mixer: str
    start: str
    options: Mapping[str, Any]


class HybridModel(nn.Module):
    """A causal language model of which some or all layers have a recurrent state.

    Parameters
    ----------
    model : PreTrainedModel
        The converted model.
    tokenizer : PreTrainedTokenizer or None
        Its tokenizer.
    hybrid : Hybrid
        What stands in the converted layers.
    kept : tuple of int
        Layers that keep attention.
    """

    def __init__(self, model: Any, tokenizer: Any, hybrid: Hybrid, kept: tuple[int, ...]) -> None:
        super().__init__()
        self.model, self.tokenizer, self.hybrid, self.kept = model, tokenizer, hybrid, kept

    @property
    def converted(self) -> tuple[int, ...]:
        """Layers without attention."""
        return tuple(layer.index for layer in converted_layers(self.model))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Logits (b, t, v) of the next tokens.

        Parameters
        ----------
        input_ids : Tensor of shape (b, t), int64
            Tokens.
        attention_mask : Tensor of shape (b, t), optional
            0 for padding.
        """
        asked = {"input_ids": input_ids, "attention_mask": attention_mask, "use_cache": False}
        logits: Tensor = self.model(**asked).logits
        return logits

    @torch.no_grad()
    def generate(self, prompts: str | Sequence[str] | Tensor, **settings: Any) -> Any:
        """Continue texts; converted layers need the same memory for every token.

        Parameters
        ----------
        prompts : str, sequence of str, or Tensor of shape (b, t)
            What is continued. Texts of unequal length are padded on the left.
        **settings
            Those of ``generate`` of transformers, such as ``max_new_tokens``, ``do_sample``,
            ``temperature``.

        Returns
        -------
        str, list of str, or Tensor
            The continuations as texts, or tokens with the prompts in front.

        Raises
        ------
        InvalidInput
            If texts are given and there is no tokenizer, or a prompt is empty.
        """
        self.model.eval()
        device = next(self.model.parameters()).device
        if isinstance(prompts, Tensor):
            return self.model.generate(input_ids=prompts.to(device), **settings)
        if self.tokenizer is None:
            raise InvalidInput("There is no tokenizer.", "Give tokens, Tensor of shape (b, t).")
        texts = [prompts] if isinstance(prompts, str) else list(prompts)
        rows = [self.tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts]
        if not rows or not all(rows):
            raise InvalidInput("A prompt is empty.", "Give at least one token to go on from.")
        widest = max(map(len, rows))
        ids, mask = torch.zeros(len(rows), widest).long(), torch.zeros(len(rows), widest).long()
        for place, row in enumerate(rows):
            ids[place, widest - len(row) :] = torch.tensor(row)
            mask[place, widest - len(row) :] = 1
        settings.setdefault("pad_token_id", self.model.config.pad_token_id or 0)
        out = self.model.generate(
            input_ids=ids.to(device), attention_mask=mask.to(device), **settings
        )
        ends = self.tokenizer.eos_token_id is not None  # without it padding may be a character
        written = [self.tokenizer.decode(o, skip_special_tokens=ends) for o in out[:, widest:]]
        return written[0] if isinstance(prompts, str) else written

    def export_onnx(self, path: str | Path, steps: int = 256) -> Any:
        """Write one step of generation, with the states as inputs and outputs.

        See `limbeck.networks.conversion.onnx_step.export_step`, which compares it with the model;
        `limbeck.networks.conversion.onnx_step.OnnxSteps` runs it.

        Parameters
        ----------
        path : path
            The file.
        steps : int
            Tokens over which graph and model are compared.

        Returns
        -------
        ExportedStep
            With the largest difference.
        """
        from limbeck.networks.conversion.onnx_step import export_step

        return export_step(self.model, path, steps)

    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        from limbeck.modules.fingerprint import fingerprint

        return fingerprint(self.model)

    def save(self, folder: str | Path) -> Path:
        """Write weights, configuration and tokenizer; `load` opens them again.

        Parameters
        ----------
        folder : path
            Made if it does not exist.
        """
        from safetensors.torch import save

        from limbeck.core.atomic_io import write_bytes

        folder = Path(folder)
        (folder / _BASE).mkdir(parents=True, exist_ok=True)
        self.model.config.save_pretrained(folder / _BASE)
        if self.tokenizer is not None:
            self.tokenizer.save_pretrained(folder / _BASE)
        write_bytes(save(_weights(self.model)), folder / "model.safetensors")
        record = {
            "format": _KIND, "version": _VERSION, "layers": self.model.config.num_hidden_layers,
            "kept": self.kept, "mixer": self.hybrid.mixer, "start": self.hybrid.start,
            "options": dict(self.hybrid.options),
        }  # fmt: skip
        return write_json(record, folder / "hybrid.json").parent

    @classmethod
    def load(cls, folder: str | Path, device: str | None = None) -> Self:
        """Open what `save` wrote: safetensors only, and no code of the folder.

        Parameters
        ----------
        folder : path
            The folder.
        device : str, optional
            Where it runs; the CPU by default.

        Raises
        ------
        FileRefused
            If it is no folder of a converted model, or weights are lacking or left over.
        """
        from limbeck.core.strict_json import record
        from limbeck.teachers.huggingface.skeleton import untrained_model
        from limbeck.teachers.safetensors_file import load_weights

        folder = Path(folder)
        found = read_json(folder / "hybrid.json", _KIND, _VERSION)
        told = record(_Record, {n: v for n, v in found.items() if n not in ("format", "version")})
        model, tokenizer = untrained_model(folder / _BASE)
        try:
            hybrid = Hybrid(list(told.kept), told.mixer, told.start, told.options)  # type: ignore[arg-type]
            replace_attention(model, told.kept, hybrid)
        except InvalidInput as error:
            raise FileRefused(f"{str(folder)!r}: {error.problem}", error.remedy) from None
        load_weights(model, folder / "model.safetensors")
        model.tie_weights()
        return cls(model.eval().to(device or "cpu"), tokenizer, hybrid, tuple(told.kept))

    def copy(self) -> Self:
        """The same model with weights of its own."""
        return type(self)(copy.deepcopy(self.model), self.tokenizer, self.hybrid, self.kept)


def _weights(model: Any) -> dict[str, Tensor]:
    """The weights by name, each tensor of its own: tied ones are written twice."""
    return {n: v.detach().cpu().contiguous().clone() for n, v in model.state_dict().items()}
