"""Tiny models, as the teachers of transformers are tested with."""

from tests.teachers.huggingface.conftest import saved, tokenizer

__all__ = ["saved", "tokenizer"]
