"""Bit-exact layers: PyTorch modules that compute what hls4ml's kernels compute in C++."""

from harness.extras import need

need("torch", "harness.hls", "torch")

from harness.fixed import Fixed
from harness.hls.attention import MultiHeadAttention
from harness.hls.compare import Comparison, Difference, compare
from harness.hls.convert import (
    ConversionError,
    fold_batch_norms,
    from_torch,
    hls4ml_config,
    with_typed_weights,
)
from harness.hls.layers.activations import (
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU1,
    ReLU6,
    ReLUMax,
    ThresholdedReLU,
)
from harness.hls.layers.batchnorm import BatchNorm, BatchNormBinaryTanh, BatchNormTernaryTanh
from harness.hls.layers.casts import ElementCast
from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.dense import Dense
from harness.hls.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.layers.einsum import Einsum, EinsumDense
from harness.hls.layers.embedding import Embedding
from harness.hls.layers.garnet import GarNet, GarNetStack
from harness.hls.layers.garnet_parts import Transforms
from harness.hls.layers.hard import BinaryTanh, HardSigmoid, HardTanh, TernaryTanh
from harness.hls.layers.layer import ShapeError, TypedLayer, TypeMismatch
from harness.hls.layers.logic import Logic, LogicConv, LogicEinsumDense
from harness.hls.layers.lookup import ELU, SELU, Sigmoid, Softplus, Softsign, Tanh, UnaryLUT
from harness.hls.layers.merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from harness.hls.layers.norm import LayerNorm
from harness.hls.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from harness.hls.layers.recurrent import GRU, LSTM, Bidirectional, Direction
from harness.hls.layers.separable import SeparableConv1D, SeparableConv2D
from harness.hls.layers.shape import Broadcast, Reshape, Transpose
from harness.hls.layers.softmax import Softmax
from harness.hls.layers.spatial import (
    Cropping1D,
    Cropping2D,
    Resize,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from harness.hls.layers.streamed import (
    StreamedAveragePooling1D,
    StreamedAveragePooling2D,
    StreamedGlobalAveragePooling1D,
    StreamedGlobalAveragePooling2D,
    StreamedGlobalMaxPooling1D,
    StreamedGlobalMaxPooling2D,
    StreamedMaxPooling1D,
    StreamedMaxPooling2D,
    StreamedSELU,
    StreamedTernaryTanh,
)
from harness.hls.layers.wrappers import TimeDistributed
from harness.hls.model import Model, Sequential, Step
from harness.hls.plot import plot_ranges
from harness.hls.project import Project
from harness.hls.ranges import Interval, Reach, ranges, suggest_types
from harness.hls.twin import ModelTwin, Twin
from harness.hls.vectors import replay_vectors, vectors, write_vectors

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
    "Broadcast",
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
    "ElementCast",
    "Embedding",
    "Fixed",
    "GarNet",
    "GarNetStack",
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
    "Logic",
    "LogicConv",
    "LogicEinsumDense",
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
    "StreamedAveragePooling1D",
    "StreamedAveragePooling2D",
    "StreamedGlobalAveragePooling1D",
    "StreamedGlobalAveragePooling2D",
    "StreamedGlobalMaxPooling1D",
    "StreamedGlobalMaxPooling2D",
    "StreamedMaxPooling1D",
    "StreamedMaxPooling2D",
    "StreamedSELU",
    "StreamedTernaryTanh",
    "Subtract",
    "Tanh",
    "TernaryTanh",
    "ThresholdedReLU",
    "TimeDistributed",
    "Transforms",
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
