"""A local causal model that writes text, a batch of prompts at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import torch

from limbeck.core.errors import InvalidInput
from limbeck.teachers.answer_store import AnswerStore, question_key
from limbeck.teachers.completions import Completion, Sampling, WritingBill, WritingCount
from limbeck.teachers.huggingface.folder import read_folder
from limbeck.teachers.huggingface.loading import load_model

__all__ = ["FolderWriter"]

_BATCH = 16
_BLOCK = 1 << 20
_PLACE = "the place of the message"


class FolderWriter:
    """A causal model of transformers that goes on with prompts.

    Answers are kept in a store under the SHA-256 of the weights, the prompt, the sampling and the
    number of the draw. Each prompt has a random generator of its own, so that its answer does not
    depend on what else is in the batch, up to the rounding of padded batches.

    Parameters
    ----------
    module : nn.Module
        The model.
    tokenizer : PreTrainedTokenizer
        Its tokenizer.
    folder : Path
        Where both were read from.
    store : AnswerStore or None
        Where answers are kept; None keeps none.
    """

    continues = True

    def __init__(
        self, module: Any, tokenizer: Any, folder: Path, store: AnswerStore | None
    ) -> None:
        self.module, self.tokenizer, self.store = module, tokenizer, store
        self.name = folder.resolve().name
        self._weights = _digest(folder)
        self._count = WritingCount()

    @classmethod
    def of_folder(cls, given: str, store: AnswerStore | None) -> Self:
        """The model of ``hf:folder``.

        Parameters
        ----------
        given : str
            The folder.
        store : AnswerStore or None
            Where answers are kept.

        Raises
        ------
        InvalidInput
            If it is no causal model.
        """
        folder = read_folder(given)
        if folder.pipeline != "text-generation":
            raise InvalidInput(
                f"{str(folder.path)!r} is for {folder.pipeline}, and writes no text.",
                "Give the folder of a causal model (...ForCausalLM).",
            )
        loaded = load_model(folder, None)
        return cls(loaded.module, loaded.reader, folder.path, store)

    @classmethod
    def of_teacher(cls, teacher: Any, store: AnswerStore | None) -> Self:
        """The model of a teacher that was read from a folder.

        Parameters
        ----------
        teacher : HuggingFaceTeacher
            Of a causal model.
        store : AnswerStore or None
            Where answers are kept.
        """
        return cls(teacher.module, teacher._reader, teacher.folder.path, store)

    def bill(self) -> WritingBill:
        """What was asked so far."""
        return self._count.bill

    def asking(self, text: str) -> str:
        """A text as the user's message, by the chat template of the folder.

        Parameters
        ----------
        text : str
            What is asked.

        Raises
        ------
        InvalidInput
            If there is no template.
        """
        return self._templated(text, True)

    def opening(self) -> str | None:
        """The template up to where the user's message begins; None without a template."""
        if not self.tokenizer.chat_template:
            return None
        return self._templated(_PLACE, False).partition(_PLACE)[0]

    def _templated(self, text: str, answer: bool) -> str:
        if not self.tokenizer.chat_template:
            raise InvalidInput(
                f"{self.name} has no chat template, and only goes on with texts.",
                'Use method="self_instruct", or a model that was trained to chat.',
            )
        messages = [{"role": "user", "content": text}]
        return str(
            self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=answer
            )
        )

    def spent(self) -> bool:
        """Never: a local model has no budget."""
        return False

    def complete(
        self, prompts: Sequence[str], sampling: Sampling, draws: Sequence[int],
        tell: Callable[[float], None],
    ) -> list[Completion]:  # fmt: skip
        """Answers to prompts, in their order.

        Parameters
        ----------
        prompts : sequence of str
            The prompts.
        sampling : Sampling
            How answers are drawn.
        draws : sequence of int
            A number for each prompt.
        tell : callable
            Is told how many of them are answered.
        """
        own = {"kind": "folder text", "weights": self._weights, "sampling": vars(sampling)}
        keys = [
            question_key({**own, "stop": list(sampling.stop), "content": text, "draw": draw})
            for text, draw in zip(prompts, draws, strict=True)
        ]
        known = {} if self.store is None else self.store.get(keys)
        self._count.add(stored=sum(key in known for key in keys))
        open_ = {key: text for key, text in zip(keys, prompts, strict=True) if key not in known}
        order = sorted(open_, key=lambda key: len(open_[key]))  # batches with little padding
        for start in range(0, len(order), _BATCH):
            some = order[start : start + _BATCH]
            before = len(keys) - len(order) + start

            def step(share: float, before: int = before, n: int = len(some)) -> None:
                tell(before + share * n)

            found = self._write([open_[key] for key in some], sampling, some, step)
            answers = [(k, {"text": c.text, "finish": c.finish}) for k, c in
                       zip(some, found, strict=True)]  # fmt: skip
            if self.store is not None:
                self.store.add(self.name, answers)
            known |= dict(answers)
            tell(before + len(some))
        return [Completion(known[k]["text"], known[k]["finish"]) for k in keys]

    def _write(
        self, prompts: Sequence[str], sampling: Sampling, keys: Sequence[bytes],
        step: Callable[[float], None],
    ) -> list[Completion]:  # fmt: skip
        """One batch, token by token; prompts are padded at their start."""
        read = [self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in prompts]
        read = [ids or [self._end()] for ids in read]
        device = next(self.module.parameters()).device
        shared = _common_start(read)
        cache = self._begun(read[0][:shared], len(read), device)
        rest = [r[shared:] for r in read]
        width = max(map(len, rest))
        ids = torch.tensor([[self._end()] * (width - len(r)) + r for r in rest], device=device)
        mask = torch.tensor(
            [[1] * shared + [0] * (width - len(r)) + [1] * len(r) for r in rest], device=device
        )
        draws = [torch.Generator().manual_seed(int.from_bytes(k[:7], "big")) for k in keys]
        written: list[list[int]] = [[] for _ in read]
        done: list[Completion | None] = [None] * len(read)
        going = list(range(len(read)))  # the prompts of the batch
        with torch.inference_mode():
            for at in range(sampling.max_tokens):
                step(at / sampling.max_tokens)
                out = self.module(
                    input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True,
                    position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :],
                    logits_to_keep=1,
                )  # fmt: skip
                cache = out.past_key_values
                logits = out.logits[:, -1].float().cpu()
                chosen = [_draw(row, sampling, written[i], draws[i]) for row, i in
                          zip(logits, going, strict=True)]  # fmt: skip
                for i, token in zip(going, chosen, strict=True):
                    if done[i] is None:
                        done[i] = self._after(written[i], token, sampling)
                left = [place for place, i in enumerate(going) if done[i] is None]
                if not left:
                    break
                ids = torch.tensor(chosen, device=device)[:, None]
                mask = torch.cat([mask, mask.new_ones(len(going), 1)], dim=1)
                if 2 * len(left) <= len(going):  # the others have ended
                    cache.batch_select_indices(torch.tensor(left, device=device))
                    ids, mask, going = ids[left], mask[left], [going[place] for place in left]
        self._count.add(
            requests=len(read), input_tokens=sum(map(len, read)),
            output_tokens=sum(map(len, written)),
        )  # fmt: skip
        return [
            one or Completion(self._text(own), "length")
            for one, own in zip(done, written, strict=True)
        ]

    def _begun(self, shared: list[int], times: int, device: torch.device) -> Any:
        """The cache of what all prompts begin with, which is read once; None without such."""
        if not shared:
            return None
        with torch.inference_mode():
            cache = self.module(
                input_ids=torch.tensor([shared], device=device), use_cache=True, logits_to_keep=1
            ).past_key_values
        cache.batch_repeat_interleave(times)
        return cache

    def _after(self, written: list[int], token: int, sampling: Sampling) -> Completion | None:
        """The answer if it ends with this token, which is added to what was written."""
        ends = self.module.generation_config.eos_token_id
        if token in (ends if isinstance(ends, list) else [ends]):
            return Completion(self._text(written), "stop")
        written.append(token)
        tail = self._text(written[-_TAIL:])
        if not any(mark in tail for mark in sampling.stop):
            return None
        text = self._text(written)
        places = [text.find(mark) for mark in sampling.stop if mark in text]
        return Completion(text[: min(places)], "stop") if places else None

    def _text(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def _end(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id if pad is None else pad)


_LEAST = 16  # tokens of a common beginning that are worth a pass of their own


def _common_start(read: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with; each keeps one of its own at least."""
    if len(read) < 2:
        return 0
    low, high = min(map(list, read)), max(map(list, read))
    most = min(map(len, read)) - 1
    found = next((i for i in range(most) if low[i] != high[i]), most)
    return found if found >= _LEAST else 0


_TAIL = 24  # tokens that hold the longest stop mark
_LIKELY = 512  # tokens that nearly always hold top_p; to sort a whole vocabulary takes longer


def _draw(
    logits: torch.Tensor, sampling: Sampling, written: Sequence[int], draw: torch.Generator
) -> int:
    """The next token of one prompt, of logits (v,).

    The presence penalty is that of the OpenAI API: taken once from every token that the answer
    holds already; the prompt does not count.
    """
    if sampling.presence_penalty and written:
        logits = logits.clone()
        logits[list(set(written))] -= sampling.presence_penalty
    if sampling.temperature == 0:
        return int(logits.argmax())
    p = (logits / sampling.temperature).softmax(dim=0)
    if sampling.top_p < 1:
        values, order = p.topk(min(_LIKELY, len(p)))
        if values.sum() < sampling.top_p:
            values, order = p.sort(descending=True)
        before = values.cumsum(dim=0) - values
        values = values.masked_fill(before >= sampling.top_p, 0.0)
        return int(order[torch.multinomial(values, 1, generator=draw)])
    return int(torch.multinomial(p, 1, generator=draw))


def _digest(folder: Path) -> str:
    """SHA-256 of configuration and weights."""
    digest = hashlib.sha256()
    kinds = ("config.json", "*.safetensors", "*.gguf", "tokenizer.json")
    for path in sorted(p for kind in kinds for p in folder.glob(kind)):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
