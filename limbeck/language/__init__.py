"""Language models into smaller language models: objectives, and what is kept of the teacher.

Each name is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public names and the modules they live in.
_MODULES = {
    "TokenKD": "language.objectives",
    "OnPolicy": "language.on_policy",
    "PolicyGradient": "language.policy_gradient",
    "MiniLLM": "language.minillm",
    "SequenceKD": "language.objectives",
    "TokenSum": "language.chunked",
    "LMHead": "language.chunked",
    "CrossTokenizer": "language.cross_tokenizer.objective",
    "TeacherLogits": "language.carriers.full",
    "SampledTokens": "language.carriers.sampled",
    "TopTokens": "language.carriers.top",
    "RecordedLogits": "language.recorded",
    "record": "language.recording",
    "import_logits": "language.imported.import_logits",
    "TeacherHidden": "language.carriers.full",
    "verify": "language.verification",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"limbeck.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'limbeck.language' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
