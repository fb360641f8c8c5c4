"""Names of schemes and of kinds of data."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from harness.interfaces.aimet.quantization.encoding_analyzer import (
    CalibrationStrategy,
    EncodingAnalyzer,
)

__all__ = ["QuantScheme", "QuantizationDataType"]


class QuantizationDataType(enum.Enum):
    """What quantizers give: integers at a scale, or floats."""

    undefined = 0
    int = 1
    float = 2


class QuantScheme(enum.Enum):
    """How the ranges of a model's quantizers are found, and whether they are trained then."""

    post_training_tf = 1
    min_max = post_training_tf
    post_training_tf_enhanced = 2
    training_range_learning_with_tf_init = 3
    training_range_learning_with_tf_enhanced_init = 4
    training_range_learning = 5
    post_training_percentile = 6

    @classmethod
    def from_str(cls, alias: str) -> QuantScheme:
        """The scheme of a short name; ``ValueError`` for none: what there are."""
        short = {
            "min_max": cls.min_max,
            "tf": cls.min_max,
            "tf_enhanced": cls.post_training_tf_enhanced,
            "percentile": cls.post_training_percentile,
        }
        if alias not in short and alias not in cls.__members__:
            raise ValueError(f"a scheme is one of {', '.join(short)}, not {alias!r}")
        return short.get(alias) or cls[alias]

    @property
    def trains_ranges(self) -> bool:
        """Whether ``min`` and ``max`` require gradients."""
        return self.name.startswith("training_range_learning")

    def analyzer(self, shape: Sequence[int]) -> EncodingAnalyzer:
        """A new analyzer by the scheme, for encodings of a shape."""
        cls = type(self)
        sqnr = (
            cls.post_training_tf_enhanced,
            cls.training_range_learning_with_tf_enhanced_init,
        )
        if self in sqnr:
            return CalibrationStrategy.SQNR.analyzer(shape)
        if self is cls.post_training_percentile:
            return CalibrationStrategy.PERCENTILE.analyzer(shape)
        return CalibrationStrategy.MINMAX.analyzer(shape)
