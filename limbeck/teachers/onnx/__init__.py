"""ONNX files as teachers: how one is opened, what its inputs take, what its outputs are."""

from __future__ import annotations
