"""A typed layer on terms: its own Python is run, and what ``Fixed`` computes becomes the law's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, computed_by
from harness.hls.layers.layer import TypedLayer
from harness.prove.law import fixed, operators
from harness.prove.source import Untranslatable
from harness.prove.terms import Word, choose
from harness.types import ApFixed, Operation

__all__ = ["Law", "carried_out", "inputs_of"]


def inputs_of(layer: TypedLayer) -> list[Array]:
    """A word for each number of each input, in its shape; named as reports name places."""
    found = []
    for name, t, shape in zip(
        layer.input_names, layer.input_types, layer.input_shapes, strict=True
    ):
        words = np.empty(shape, object)
        for place in np.ndindex(shape):
            words[place] = Word.named(f"{name}[{', '.join(map(str, place))}]", t.width)
        found.append(words)
    return found


def carried_out(layer: TypedLayer, inputs: list[Array]) -> Array:
    """The words of the output, in its shape.

    Args:
        layer: the layer; its parameters are constants.
        inputs: words of the input's types, each in its shape.

    Raises:
        Untranslatable: for a layer that looks at codes otherwise than by what ``Fixed`` computes,
            such as one that looks them up in a table.
    """
    rows = []
    try:
        with computed_by(Law()):
            for words, t in zip(inputs, layer.input_types, strict=True):
                rows.append(Fixed(words[None], t))
            codes = layer.compute(*rows).held
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Untranslatable(f"{layer.name} is not carried out on terms: {error}") from error
    (row,) = codes.reshape(1, *layer.output_shape)
    return _each(lambda code: _word(code, layer.result), row)


class Law:
    """The law of the types, element by element."""

    def cast(self, codes: Array, source: ApFixed, target: ApFixed) -> Array:
        """See :class:`~harness.fixed.Arithmetic`."""
        return _each(lambda code: fixed.cast(_word(code, source), source, target), codes)

    def compute(self, op: Operation, a: Array, ta: ApFixed, b: Any, tb: ApFixed | None) -> Array:
        """See :class:`~harness.fixed.Arithmetic`."""
        if op in (Operation.DIV, Operation.MOD) and (b.dtype == object or not b.all()):
            raise TypeError("a divisor that is not known could be zero")
        if tb is None:
            return _each(lambda x: operators.compute(op, _word(x, ta), ta), a)
        return _each(
            lambda x, y: operators.compute(op, _word(x, ta), ta, _word(y, tb), tb),
            *np.broadcast_arrays(a, b),
        )

    def where(self, condition: Array, a: Array, b: Array, t: ApFixed) -> Array:
        """See :class:`~harness.fixed.Arithmetic`."""

        def chosen(bit: Any, x: Any, y: Any) -> Word:
            taken = bit == 1 if isinstance(bit, Word) else bool(bit)
            return choose(taken, _word(x, t), _word(y, t))

        return _each(chosen, *np.broadcast_arrays(condition, a, b))


def _word(code: Any, t: ApFixed) -> Word:
    return code if isinstance(code, Word) else Word.of(int(code), t.width)


def _each(f: Callable[..., Word], *arrays: Array) -> Array:
    found = np.empty(arrays[0].size, object)
    for k, parts in enumerate(zip(*(array.flat for array in arrays), strict=True)):
        found[k] = f(*parts)
    return found.reshape(arrays[0].shape)
