"""Rectifiers, and activations that look their values up: ``nnet_activation.h``."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.hls.elementwise import Activation, number
from harness.hls.fixed import INT, Fixed, where
from harness.hls.layer import Shape, as_type
from harness.hls.tables import activation_table, check_int, check_size, whole, whole_type, within
from harness.types import ApFixed

__all__ = [
    "ELU",
    "SELU",
    "LeakyReLU",
    "Linear",
    "PReLU",
    "ReLU",
    "ReLU1",
    "ReLU6",
    "ReLUMax",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "TableActivation",
    "Tanh",
    "ThresholdedReLU",
    "UnaryLUT",
]

#: What hls4ml gives an activation if nothing is said.
TABLE_SIZE, TABLE_TYPE = 1024, "ap_fixed<18,8>"
#: The factor of SELU's positive branch, as the kernel keeps it.
LAMBDA = Fixed.of(1.0507009873554805, ApFixed(16, 1, signed=False))


class Linear(Activation):
    """Nothing but the conversion to the result's type, hls4ml ``nnet::linear``.

    Arguments as :class:`Activation`.
    """

    template = "linear"
    monotone = True

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return x.to(self.result)


class ReLU(Activation):
    """``x > 0 ? x : 0``, hls4ml ``nnet::relu``; arguments as :class:`Activation`."""

    template = "relu"
    monotone = True

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return where(x > 0, x.to(self.result), number(0, self.result))


class ReLUMax(Activation):
    """``min(max(x, 0), max_int)``, hls4ml ``nnet::relu_max``.

    The bound is converted to the result's type as any other value: where that does not hold it, it
    overflows.

    Args:
        max_int: the upper bound, a C++ ``int``; a negative one is what every ``x >= 0`` becomes.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "relu_max"

    def __init__(
        self,
        max_int: int = 6,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        if not INT.min_code <= max_int <= INT.max_code:
            raise ValueError(f"{self.name}: the bound {max_int} is no C++ int")
        self.max_int = int(max_int)
        self.monotone = self.max_int >= 0

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        bound = number(self.max_int, self.result)
        capped = where(x > self.max_int, bound, x.to(self.result))
        return where(x < 0, number(0, self.result), capped)

    def kernel_sizes(self) -> tuple[int, ...]:
        """The bound."""
        return (self.max_int,)


class _ReLUTo(ReLUMax):
    """A bound that the kernel has itself."""

    bound = 0

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(self.bound, input=input, input_shape=input_shape, result=result)

    def kernel_sizes(self) -> tuple[int, ...]:
        """None."""
        return ()


class ReLU6(_ReLUTo):
    """:class:`ReLUMax` up to 6, hls4ml ``nnet::relu6``; arguments as :class:`Activation`."""

    template, bound = "relu6", 6


class ReLU1(_ReLUTo):
    """:class:`ReLUMax` up to 1, hls4ml ``nnet::relu1``; arguments as :class:`Activation`."""

    template, bound = "relu1", 1


class LeakyReLU(Activation):
    """``x > 0 ? x : alpha * x``, hls4ml ``nnet::leaky_relu``.

    Args:
        alpha: the slope of negative values.
        param_type: its type.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "leaky_relu"

    def __init__(
        self,
        alpha: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("alpha", alpha, param_type, ())

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return _leaky(x, self.fixed("alpha"), self.result)


class PReLU(Activation):
    """``x > 0 ? x : alpha * x`` with a slope for each element, hls4ml ``nnet::prelu``.

    Args:
        alpha: the slopes of negative values, of the shape of the input.
        param_type: their type.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "prelu"

    def __init__(
        self,
        alpha: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("alpha", alpha, param_type, self.input_shapes[0])

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return _leaky(x, self.fixed("alpha"), self.result)


class ThresholdedReLU(Activation):
    """``x > theta ? x : 0``, hls4ml ``nnet::thresholded_relu``.

    Args:
        theta: the threshold.
        param_type: its type.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "thresholded_relu"

    def __init__(
        self,
        theta: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("theta", theta, param_type, ())

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        above = x > self.fixed("theta")
        return where(above, x.to(self.result), number(0, self.result))


class TableActivation(Activation):
    """A function looked up in a table that the kernel makes itself.

    An input is multiplied by the table's size, divided, and converted to ``int``, toward zero; what
    is outside the table takes its first or last entry.

    Args:
        input, input_shape, result: as :class:`Activation`.
        table_type: the type of the entries.
        table_size: how many there are, any number.

    Raises:
        ValueError: for a table without entries.

    Attributes:
        reach: the table goes from ``-reach`` to ``reach``.
    """

    looked_up = True
    reach = 8

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        table_type: ApFixed | str = TABLE_TYPE,
        table_size: int = TABLE_SIZE,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.table_type = as_type(table_type, "table_type")
        self.table_size = check_size(table_size, self.name)
        check_int(whole_type(self.input_types[0]), self.name)

    @property
    def table(self) -> Fixed:
        """The entries, (table_size,)."""
        return activation_table(self.template, self.table_size, self.table_type)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        size = self.table_size
        index = within(whole(x, size, 2 * self.reach), size // 2, size)
        return self.table.to(self.result)[index]

    def kernel_types(self) -> tuple[Any, ...]:
        """The table's."""
        return (self.table_type,)

    def kernel_sizes(self) -> tuple[int, ...]:
        """The table's."""
        return (self.table_size,)


class Sigmoid(TableActivation):
    """``1 / (1 + exp(-x))``, hls4ml ``nnet::sigmoid``; arguments as :class:`TableActivation`."""

    template = "sigmoid"


class Tanh(TableActivation):
    """``tanh(x)``, hls4ml ``nnet::tanh``; arguments as :class:`TableActivation`."""

    template = "tanh"
    reach = 4


class Softplus(TableActivation):
    """``log(exp(x) + 1)``, hls4ml ``nnet::softplus``; arguments as :class:`TableActivation`.

    Beyond 8 it stays at the last entry, whatever the input.
    """

    template = "softplus"


class Softsign(TableActivation):
    """``x / (abs(x) + 1)``, hls4ml ``nnet::softsign``; arguments as :class:`TableActivation`."""

    template = "softsign"


class SELU(TableActivation):
    """``lambda * x`` from 0 on, below it a table down to -8, hls4ml ``nnet::selu``.

    ``lambda`` is an ``ap_ufixed<16,1>``.  Arguments as :class:`TableActivation`.
    """

    template = "selu"

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        index = within(whole(x, self.table_size, -8), 0, self.table_size)
        return where(x >= 0, (LAMBDA * x).to(self.result), self.table.to(self.result)[index])


class ELU(TableActivation):
    """``x`` from 0 on, below it ``alpha`` times a table of ``exp(x) - 1``, hls4ml ``nnet::elu``.

    Args:
        alpha: the factor of the table.
        param_type: its type.
        input, input_shape, table_type, table_size, result: as :class:`TableActivation`.
    """

    template = "elu"
    looked_up = False  # alpha may be another one tomorrow

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str = "ap_uint<1>",
        table_type: ApFixed | str = TABLE_TYPE,
        table_size: int = TABLE_SIZE,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(
            input=input,
            input_shape=input_shape,
            table_type=table_type,
            table_size=table_size,
            result=result,
        )
        self.parameter("alpha", alpha, param_type, ())

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        last = self.table_size - 1
        index = whole(x, self.table_size, -8)
        # The kernel compares with an unsigned number: an int that wrapped below 0 is large.
        index = np.where((index < 0) | (index > last), last, index)
        below = (self.fixed("alpha") * self.table).to(self.result)
        return where(x >= 0, x.to(self.result), below[index])

    def kernel_types(self) -> tuple[Any, ...]:
        """Those of alpha and the table."""
        return (self.parameter_types["alpha"], self.table_type)


class UnaryLUT(Activation):
    """An entry of a given table for each code, hls4ml ``nnet::unary_lut``.

    The bits of an input are the entry's number, so those of negative values come after the others.

    Args:
        table: the entries, one for each code of the input or more, floats or ``Fixed``.
        input, input_shape, result: as :class:`Activation`.
        table_type: the type of the entries.

    Raises:
        ValueError: for a table that does not have every code: the kernel reads beyond it.
    """

    template = "unary_lut"

    def __init__(
        self,
        table: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        table_type: ApFixed | str = TABLE_TYPE,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        shape = tuple(np.shape(getattr(table, "codes", table)))
        width = self.input_types[0].width
        if len(shape) != 1 or shape[0] < 1 << width:
            raise ValueError(
                f"{self.name}: a table of shape {shape} has no entry for some codes of "
                f"{self.input_types[0]}; allowed: ({1 << width},) and longer"
            )
        self.parameter("table", table, table_type, shape)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        mask = (1 << x.type.width) - 1
        return self.fixed("table").to(self.result)[x.codes & mask]

    def kernel_sizes(self) -> tuple[int, ...]:
        """The table's."""
        return (self.fixed("table").shape[0],)


def _leaky(x: Fixed, alpha: Fixed, result: ApFixed) -> Fixed:
    return where(x > 0, x.to(result), (alpha * x).to(result))
