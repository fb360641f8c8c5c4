"""``Oracle``: what the vendor's C++ says."""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np

from harness import children
from harness.oracle import kernels, limits, process
from harness.oracle.build import AnyKernel, AnyKernelT, Builder, Slot
from harness.oracle.errors import HeaderRefuses, OracleCrash
from harness.oracle.headers import find_headers
from harness.oracle.kernels import OURS, VENDOR, Kernel
from harness.oracle.layers import LayerKernel
from harness.oracle.words import as_cpp_reads, from_words, to_words, unfolded, word_count
from harness.oracle.worker import Worker
from harness.types import (
    ApFixed,
    NumberType,
    Operation,
    as_fixed_type,
    as_number_type,
    check_counts,
)

__all__ = ["GROUP", "Oracle", "number_of"]

Array = np.ndarray[Any, Any]
#: The arrays that kernels read C++ numbers from.
_DTYPES = {
    "double": np.float64,
    "float": np.float32,
    "std::int64_t": np.int64,
    "std::uint64_t": np.uint64,
}
#: Kernels to a shared object: enough to share the cost of parsing the headers.
GROUP = 56


class Oracle:
    """The vendor's headers as a function from arrays to codes.

    Kernels are compiled on first use, in groups where several are asked for, and kept on disk.
    With the pinned headers and types of up to 64 bits they run in this process; anything else runs
    in a worker process, which may die without harm.

    Args:
        headers: a directory of the user's own headers; by default the pinned ones.
        cache: keep compiled kernels on disk between runs.

    Attributes:
        headers: the headers in use, with their hash.
        builder: what has been compiled, and where it is.
    """

    def __init__(
        self,
        headers: str | os.PathLike[str] | None = None,
        *,
        cache: bool = True,
    ) -> None:
        self.headers = find_headers(headers)
        self.builder = Builder(self.headers, cache)
        self._worker = Worker()
        self._tables: dict[str, tuple[int, int]] = {}

    @property
    def compiler(self) -> str:
        """The compiler's name and version."""
        return self.builder.compiler.version

    def codes(self, x: Any, t: NumberType | str, *, header: str = VENDOR) -> Any:
        """The codes of ``t(x)``, in the shape of ``x``.

        For a minifloat it is what the vendor's ``ap_float.h`` says, right or wrong (see
        :func:`harness.oracle.domain.domain`), or with ``header="minifloat.h"`` what ours does.

        Args:
            x: floats (float64 by the ``double`` constructor, narrower ones by ``float``) or
                integers (64 bits wide in C++).
            t: the target type, or its spelling, as everywhere here.
            header: whose minifloat.

        Raises:
            HeaderRefuses: if the headers would end the process.
            OracleCrash: if they did, in the worker.
        """
        t, array = as_number_type(t), as_cpp_reads(x)
        number = number_of(array)
        with np.errstate(invalid="ignore"):  # a signalling NaN is no reason for a warning
            flat = np.ascontiguousarray(array, dtype=_DTYPES[number]).ravel()
        odd = bool(flat.dtype.kind == "f" and not np.isfinite(flat).all())  # those are warned of
        kernel = kernels.from_number(number, t, _checked(header))
        words = self._run(kernel, flat, None, flat.size, quiet=odd or kernel.warns)
        return from_words(words, t, array.shape)

    def cast(
        self,
        codes: Any,
        source: NumberType | str,
        target: NumberType | str,
        *,
        header: str = VENDOR,
        construct: bool = False,
    ) -> Any:
        """The codes of ``target(a)`` for values ``a`` of type ``source``.

        Into a minifloat of ``header`` it is an assignment, or with ``construct`` its constructor;
        out of one it is ``to_ap_fixed()``, and ``target`` must be its ``fixed``.
        """
        source, target = as_number_type(source), as_number_type(target)
        words = to_words(codes, source)
        shape = np.shape(codes)
        kernel = kernels.cast(source, target, _checked(header), construct=construct)
        return from_words(self._run(kernel, words, None, _size(shape)), target, shape)

    def compute(
        self,
        op: Operation | str,
        a: Any,
        a_type: NumberType | str,
        b: Any = None,
        b_type: NumberType | str | None = None,
        *,
        header: str = VENDOR,
    ) -> Any:
        """The codes of ``a op b`` in ``result_type(op, a_type, b_type)``, for every operation.

        ``b`` are codes of ``b_type`` in the shape of ``a``.  For a shift or a bit it is the count
        or the number of the bit, one for all or one for each element; for ``range`` it is
        ``(hi, lo)``.
        """
        op, a_type = Operation.parse(op), as_number_type(a_type)
        b_type = None if b_type is None else as_number_type(b_type)
        facts = b if op is Operation.RANGE else b_type
        kernel = kernels.compute(op, a_type, facts, _checked(header))
        shape = np.shape(a)
        left = to_words(a, a_type)
        right = None
        if op is Operation.RANGE:
            right = np.array(facts, np.int64)
        elif op.counted:
            counts = np.broadcast_to(check_counts(op, b, a_type), shape)
            right = np.ascontiguousarray(counts, np.int64).ravel()
        elif b_type is not None:
            right = self._operand(op, a, a_type, b, b_type)
        words = self._run(kernel, left, right, _size(shape), quiet=kernel.warns)
        return from_words(words, kernel.result, shape)

    def assign(
        self, op: Operation | str, a: Any, a_type: ApFixed | str, b: Any, b_type: ApFixed | str
    ) -> Any:
        """The codes of ``a`` after ``a op= b``, in ``a``'s type and modes."""
        op, a_type, b_type = Operation.parse(op), as_fixed_type(a_type), as_fixed_type(b_type)
        kernel = kernels.assign(op, a_type, b_type)
        right = self._operand(Operation(f"{op.value}="), a, a_type, b, b_type)
        shape = np.shape(a)
        words = self._run(kernel, to_words(a, a_type), right, _size(shape), quiet=kernel.warns)
        return from_words(words, a_type, shape)

    def accumulate(
        self,
        op: Operation | str,
        start: int,
        a_type: ApFixed | str,
        b: Any,
        b_type: ApFixed | str,
    ) -> Any:
        """The codes of one accumulator after each ``a op= b[k]``, starting from ``start``."""
        op, a_type, b_type = Operation.parse(op), as_fixed_type(a_type), as_fixed_type(b_type)
        if op in (Operation.DIV, Operation.MOD):  # a zero among the codes would end the process
            raise ValueError(f"accumulate takes + - * & | ^, not {op.value}")
        shape = np.shape(b)
        kernel = kernels.accumulate(op, a_type, b_type)
        first, addends = to_words([start], a_type), to_words(b, b_type)
        words = self._run(kernel, first, addends, _size(shape), quiet=kernel.warns)
        return from_words(words, a_type, shape)

    def activate(self, name: str, codes: Any, source: ApFixed | str) -> Any:
        """What hls4ml's ``binary_tanh`` or ``ternary_tanh`` makes of codes of ``source``.

        The answers are codes of ``Binary()`` or of ``TERNARY``.
        """
        source = as_fixed_type(source)
        shape, kernel = np.shape(codes), kernels.activation(name, source)
        return self._run(kernel, to_words(codes, source), None, _size(shape)).reshape(shape)

    def layer(self, kernel: LayerKernel, rows: Array, parameters: Array, outputs: int) -> Array:
        """What a layer of hls4ml makes of a batch, in this process.

        Args:
            kernel: the layer, none of whose conversions may end the process (the caller knows).
            rows: the words of the inputs, (rows, inputs), ``int64``.
            parameters: the words of weights, biases and tables, ``int64``.
            outputs: how many results a row has.

        Returns:
            (rows, outputs) words, ``int64``.

        Raises:
            HeaderRefuses: if the headers in use are not the pinned ones with their ``nnet_utils``.
        """
        if why := self.refusal(kernel):
            raise HeaderRefuses(why)
        out = np.empty((len(rows), outputs), np.int64)
        if out.size:
            table, index = self._table(kernel)
            source = np.ascontiguousarray(rows, np.int64)
            constants = np.ascontiguousarray(parameters, np.int64)
            addresses = (source.ctypes.data, constants.ctypes.data, out.ctypes.data)
            with process.muted() if kernel.warns else contextlib.nullcontext():
                process.run(table, index, *addresses, len(rows))
        return out

    def refusal(self, kernel: AnyKernel) -> str | None:
        """Why the headers cannot answer ``kernel`` at all; ``None`` if they can."""
        if isinstance(kernel, LayerKernel):
            pinned = bool(self.headers.layers)
            return None if pinned else "hls4ml's layers are run with the pinned headers alone"
        needed = VENDOR if kernel.header == VENDOR else ""
        if kernel.template in kernels.ACTIVATIONS:
            needed = "../nnet_utils/nnet_activation.h"
        if needed and needed not in self.headers.sums:
            return f"{self.headers.directory} has no {needed}"
        return limits.refusal(kernel)

    def compile(
        self, wanted: Iterable[AnyKernelT], jobs: int | None = None
    ) -> Generator[Sequence[AnyKernelT], None, None]:
        """Compile what is missing, several compilers at once; yield each group as it is ready.

        The first group yielded holds the kernels that were there already.

        Raises:
            CompileError: names the kernel that the compiler refused.
        """
        kept = [k for k in dict.fromkeys(wanted) if self.refusal(k) is None]
        missing = self.builder.missing(kept)
        absent = {k.cpp for k in missing}
        yield [k for k in kept if k.cpp not in absent]
        jobs = jobs or os.cpu_count() or 1
        groups = [group for each in _by_source(missing) for group in _split(each, jobs)]
        with ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(self.builder.compile, group): group for group in groups}
            try:
                for future in as_completed(futures):
                    future.result()
                    yield futures[future]
            except BaseException:  # nobody waits for the others
                pool.shutdown(wait=False, cancel_futures=True)
                with children.unwanted():
                    pool.shutdown()
                raise

    def jit(self, wanted: Sequence[Kernel]) -> Oracle:
        """An oracle whose ``wanted`` kernels cling compiles, here and now: a second compiler.

        They are put to the C++ compiler first, because a source that fails corrupts cling.

        Raises:
            ValueError: for a kernel that needs more than the fixed-point headers.
        """
        for kernel in wanted:
            if kernel.source != "fixed_kernels.h":
                raise ValueError(f"cling is given fixed point alone, not {kernel.cpp}")
            self._slot(kernel)
        twin = copy.copy(self)
        address = process.jit_table(self.headers, [kernel.cpp for kernel in wanted])
        twin._tables = {kernel.cpp: (address, k) for k, kernel in enumerate(wanted)}
        return twin

    def close(self) -> None:
        """End the worker process, and remove what was not to be kept."""
        self._worker.close()
        self.builder.close()

    def _operand(self, op: Operation, a: Any, ta: Any, b: Any, tb: Any) -> Array:
        if np.shape(a) != np.shape(b):
            raise ValueError(f"operands differ in shape: {np.shape(a)} and {np.shape(b)}")
        if (op.assigned or op) in (Operation.DIV, Operation.MOD):
            pairs = zip(unfolded(a, ta), unfolded(b, tb), strict=True)
            if why := limits.traps(op, ta, tb, list(pairs)):
                raise HeaderRefuses(why)
        return to_words(b, tb)

    def _run(self, kernel: Kernel, a: Array, b: Array | None, n: int, quiet: bool = False) -> Array:
        """The words that ``kernel`` writes for ``n`` elements."""
        if why := self.refusal(kernel):
            raise HeaderRefuses(why)
        out = np.empty(n * word_count(kernel.result), np.int64)
        if n == 0:
            return out
        if not (self.headers.pinned and kernel.narrow):
            return self._run_in_worker(kernel, self._slot(kernel), a, b, out)
        table, index = self._table(kernel)
        second = 0 if b is None else b.ctypes.data
        call: Callable[[], None] = lambda: process.run(  # noqa: E731
            table, index, a.ctypes.data, second, out.ctypes.data, n
        )
        if quiet:
            with process.muted():
                call()
        else:
            call()
        return out

    def _slot(self, kernel: AnyKernelT) -> Slot:
        slot = self.builder.slot(kernel)
        if slot is None:
            if self.builder.missing([kernel]):
                self.builder.compile([kernel])
            slot = self.builder.slot(kernel)
        assert slot is not None
        return slot

    def _table(self, kernel: AnyKernelT) -> tuple[int, int]:
        """The address of the table that holds a kernel, and its place there."""
        if kernel.cpp not in self._tables:
            slot = self._slot(kernel)
            self._tables[kernel.cpp] = process.open_table(str(slot.path)), slot.index
        return self._tables[kernel.cpp]

    def _run_in_worker(
        self, kernel: Kernel, slot: Slot, a: Array, b: Array | None, out: Array
    ) -> Array:
        n = out.size // word_count(kernel.result)
        second = b"" if b is None else b.tobytes()
        try:
            result = self._worker.call(
                str(slot.path), slot.index, a.tobytes(), second, out.nbytes, n
            )
        except RuntimeError as error:
            raise OracleCrash(
                f"{kernel.cpp.removeprefix('&')} ended its process: {error}"
            ) from None
        return np.frombuffer(result, dtype=np.int64)


def _by_source(wanted: Sequence[AnyKernelT]) -> list[list[AnyKernelT]]:
    """Kernels by the header that they need; a group needs one."""
    found: dict[str, list[AnyKernelT]] = {}
    for kernel in wanted:
        found.setdefault(kernel.source, []).append(kernel)
    return list(found.values())


def _split(wanted: list[AnyKernelT], jobs: int) -> list[list[AnyKernelT]]:
    size = min(GROUP, -(-len(wanted) // jobs)) or 1
    return [wanted[k : k + size] for k in range(0, len(wanted), size)]


def _checked(header: str) -> str:
    if header not in (VENDOR, OURS):
        raise ValueError(f"unknown header {header!r}; allowed: {VENDOR}, {OURS}")
    return header


def number_of(array: Array) -> str:
    """The C++ number type that elements of ``array`` are given as."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size <= 8:
        return "double" if size == 8 else "float"
    if kind in "iub":
        return "std::int64_t" if kind == "i" else "std::uint64_t"
    raise TypeError(f"no C++ constructor for dtype {array.dtype}; allowed: floats and integers")


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
