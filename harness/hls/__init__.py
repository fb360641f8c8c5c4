"""Bit-exact layers: PyTorch modules that compute what hls4ml's kernels compute in C++."""

from harness.hls.batchnorm import BatchNorm, BatchNormBinaryTanh, BatchNormTernaryTanh
from harness.hls.dense import Dense
from harness.hls.fixed import Fixed
from harness.hls.layer import ShapeError, TypedLayer, TypeMismatch
from harness.hls.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from harness.hls.model import Model, Sequential, Step
from harness.hls.shape import Reshape
from harness.hls.twin import Twin

__all__ = [
    "Add",
    "Average",
    "BatchNorm",
    "BatchNormBinaryTanh",
    "BatchNormTernaryTanh",
    "Concatenate",
    "Dense",
    "Dot",
    "Fixed",
    "Maximum",
    "Minimum",
    "Model",
    "Multiply",
    "Reshape",
    "Sequential",
    "ShapeError",
    "Step",
    "Subtract",
    "Twin",
    "TypeMismatch",
    "TypedLayer",
]
