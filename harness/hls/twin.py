"""The C++ twin of a layer: hls4ml's own kernel, compiled and called in-process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.hls.fixed import Fixed, recorded_casts
from harness.hls.layer import TypedLayer
from harness.oracle import HeaderRefuses, Oracle
from harness.oracle.limits import cast_aborts
from harness.types import ApFixed

__all__ = ["Twin"]


class Twin:
    """What hls4ml's kernel computes for a layer's types, sizes and parameters.

    Args:
        layer: the layer.
        oracle: compiles and runs the kernel; several twins share one.
    """

    def __init__(self, layer: TypedLayer, oracle: Oracle) -> None:
        self.layer = layer
        self.oracle = oracle
        self.kernel = layer.kernel()

    def refusal(self) -> str | None:
        """Why the kernel cannot be run: a conversion that would end the process."""
        rows = [
            Fixed(np.zeros((1, *shape), np.int64), t)
            for t, shape in zip(self.layer.input_types, self.layer.input_shapes, strict=True)
        ]
        with recorded_casts() as casts:
            self.layer.compute(*rows)
        for source, target in sorted(casts):
            if cast_aborts(source, target):
                return f"{self.layer.name}: converting {source} to {target} aborts in the headers"
        return self.oracle.refusal(self.kernel)

    def run(self, *inputs: Fixed) -> Fixed:
        """The kernel's output, in the shape of the layer's.

        Raises:
            HeaderRefuses: if it would end the process.
            ShapeError, TypeMismatch: as :meth:`TypedLayer.check` does.
        """
        rows = self.layer.check(inputs)
        if why := self.refusal():
            raise HeaderRefuses(why)
        flat = np.concatenate([x.codes.reshape(rows, -1) for x in inputs], axis=1)
        out = self.oracle.layer(
            self.kernel, flat, words(self.layer.constants()), self.layer.sizes[-1]
        )
        return Fixed(out.reshape(rows, *self.layer.output_shape), self.layer.result)


def words(constants: Sequence[Fixed]) -> Any:
    """Parameters as the kernel reads them, one array after the other."""
    flat = [np.ravel(c.codes).astype(np.int64) for c in constants]
    return np.concatenate([*flat, np.zeros(1, np.int64)])


def types_in(kernel: Any) -> tuple[ApFixed, ...]:
    """The types among a kernel's template arguments."""
    return tuple(a for a in kernel.arguments if isinstance(a, ApFixed))
