"""Transforms with an inverse, in whose coefficients a network may be read by ``limbeck.trim``."""

from limbeck.transforms.base import Band, Transform
from limbeck.transforms.components import Components
from limbeck.transforms.fourier import Fourier
from limbeck.transforms.graph_fourier import GraphFourier
from limbeck.transforms.graph_wavelets import GraphWavelets
from limbeck.transforms.own import Own
from limbeck.transforms.topics import Topics
from limbeck.transforms.wavelet import Wavelet

__all__ = [
    "Band",
    "Components",
    "Fourier",
    "GraphFourier",
    "GraphWavelets",
    "Own",
    "Topics",
    "Transform",
    "Wavelet",
]
