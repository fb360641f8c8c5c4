"""Activations that look their values up in a table: ``nnet_activation.h``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, where
from harness.hls.layers.elementwise import Activation
from harness.hls.layers.interval import Interval
from harness.hls.layers.layer import Shape, as_type
from harness.hls.layers.tables import (
    activation_table,
    check_int,
    check_size,
    whole,
    whole_type,
    within,
)
from harness.types import ApFixed

__all__ = [
    "ELU",
    "SELU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "TableActivation",
    "Tanh",
    "UnaryLUT",
]

#: What hls4ml gives an activation if nothing is said.
TABLE_SIZE, TABLE_TYPE = 1024, "ap_fixed<18,8>"
#: The factor of SELU's positive branch, as the kernel keeps it.
LAMBDA = Fixed.of(1.0507009873554805, ApFixed(16, 1, signed=False))


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

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        del x
        return (Interval.among(self.table),)

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

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        return Interval.at(self.factor) * x, Interval.among(self.table)

    @property
    def factor(self) -> Fixed:
        """``lambda``."""
        return LAMBDA

    def below(self, x: Fixed) -> Array:
        """Where in the table a negative input is."""
        return within(whole(x, self.table_size, -8), 0, self.table_size)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        table = self.table.to(self.result)[self.below(x)]
        return where(x >= 0, (self.factor * x).to(self.result), table)


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

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        return x, Interval.at(self.fixed("alpha")) * Interval.among(self.table)

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

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        del x
        return (Interval.among(self.fixed("table")),)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        mask = (1 << x.type.width) - 1
        return self.fixed("table").to(self.result)[x.codes & mask]

    def kernel_sizes(self) -> tuple[int, ...]:
        """The table's."""
        return (self.fixed("table").shape[0],)
