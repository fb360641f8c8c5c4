"""Bit-exact layers: PyTorch modules that compute what hls4ml's kernels compute in C++."""

from harness.hls.activations import (
    ELU,
    SELU,
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU1,
    ReLU6,
    ReLUMax,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedReLU,
    UnaryLUT,
)
from harness.hls.attention import MultiHeadAttention
from harness.hls.batchnorm import BatchNorm, BatchNormBinaryTanh, BatchNormTernaryTanh
from harness.hls.compare import Comparison, Difference, compare
from harness.hls.conv import Conv1D, Conv2D
from harness.hls.convert import (
    ConversionError,
    fold_batch_norms,
    from_torch,
    hls4ml_config,
    with_typed_weights,
)
from harness.hls.dense import Dense
from harness.hls.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.einsum import Einsum, EinsumDense
from harness.hls.embedding import Embedding
from harness.hls.fixed import Fixed
from harness.hls.hard import BinaryTanh, HardSigmoid, HardTanh, TernaryTanh
from harness.hls.layer import ShapeError, TypedLayer, TypeMismatch
from harness.hls.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from harness.hls.model import Model, Sequential, Step
from harness.hls.norm import LayerNorm
from harness.hls.plot import plot_ranges
from harness.hls.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from harness.hls.project import Project
from harness.hls.ranges import Interval, Reach, ranges, suggest_types
from harness.hls.recurrent import GRU, LSTM, Bidirectional, Direction
from harness.hls.separable import SeparableConv1D, SeparableConv2D
from harness.hls.shape import Reshape, Transpose
from harness.hls.softmax import Softmax
from harness.hls.spatial import (
    Cropping1D,
    Cropping2D,
    Resize,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from harness.hls.twin import ModelTwin, Twin
from harness.hls.vectors import replay_vectors, vectors, write_vectors
from harness.hls.wrappers import TimeDistributed

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "SELU",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNorm",
    "BatchNormBinaryTanh",
    "BatchNormTernaryTanh",
    "Bidirectional",
    "BinaryTanh",
    "Comparison",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "ConversionError",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Difference",
    "Direction",
    "Dot",
    "Einsum",
    "EinsumDense",
    "Embedding",
    "Fixed",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "HardSigmoid",
    "HardTanh",
    "Interval",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Model",
    "ModelTwin",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Project",
    "ReLU",
    "ReLU1",
    "ReLU6",
    "ReLUMax",
    "Reach",
    "Reshape",
    "Resize",
    "SeparableConv1D",
    "SeparableConv2D",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Step",
    "Subtract",
    "Tanh",
    "TernaryTanh",
    "ThresholdedReLU",
    "TimeDistributed",
    "Transpose",
    "Twin",
    "TypeMismatch",
    "TypedLayer",
    "UnaryLUT",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "compare",
    "fold_batch_norms",
    "from_torch",
    "hls4ml_config",
    "plot_ranges",
    "ranges",
    "replay_vectors",
    "suggest_types",
    "vectors",
    "with_typed_weights",
    "write_vectors",
]
