"""Bit-exact layers: PyTorch modules that compute what hls4ml's kernels compute in C++."""

from harness.hls.dense import Dense
from harness.hls.fixed import Fixed
from harness.hls.layer import ShapeError, TypedLayer, TypeMismatch
from harness.hls.model import Model, Sequential, Step
from harness.hls.shape import Reshape
from harness.hls.twin import Twin

__all__ = [
    "Dense",
    "Fixed",
    "Model",
    "Reshape",
    "Sequential",
    "ShapeError",
    "Step",
    "Twin",
    "TypeMismatch",
    "TypedLayer",
]
