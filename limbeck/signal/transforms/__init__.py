"""Transforms with an inverse, in whose coefficients a network may be read by ``limbeck.trim``.

Examples
--------
>>> from limbeck import transforms
>>> transform = transforms.Fourier(bands=[0.1]).fit([[0.0, 1.0, 0.0, 1.0]])
>>> [band.name for band in transform.bands]
['up to 0.1', '0.1 to 0.5']
"""

from limbeck.signal.transforms.base import Band, Transform
from limbeck.signal.transforms.components import Components
from limbeck.signal.transforms.fourier import Fourier
from limbeck.signal.transforms.graph_fourier import GraphFourier
from limbeck.signal.transforms.graph_wavelets import GraphWavelets
from limbeck.signal.transforms.own import Own
from limbeck.signal.transforms.topics import Topics
from limbeck.signal.transforms.wavelet import Wavelet

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
