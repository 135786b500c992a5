"""Attention of a language model replaced by recurrent mixers, and distilled back."""
