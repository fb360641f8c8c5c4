"""Our operators on codes, as they stand in the source, against the law: for every pair of codes.

They are operations on NumPy's arrays, and on torch's tensors, of 64 bits; the terms stand for one
element of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.prove.kernels import kept
from harness.prove.law import operators as law
from harness.prove.machine import as_word
from harness.prove.solve import Claim, Pair
from harness.prove.source import Source, source_of
from harness.prove.terms import Truth, Word
from harness.quantize.operators import fits_words
from harness.types import ApFixed, Operation, count_bounds, result_type

__all__ = [
    "DIVISIONS",
    "OPERATORS",
    "PLAIN",
    "binary_claims",
    "operator_claims",
    "served",
    "unary_claims",
]

OPERATORS = "harness.quantize.operators"
#: What a solver finds easy, has a result for every pair of codes, and is asked together.
PLAIN = tuple(
    op
    for op in Operation
    if op.binary and op.assigned is None and op not in (Operation.MUL, Operation.DIV, Operation.MOD)
)
DIVISIONS = (Operation.DIV, Operation.MOD)
UNARY = (Operation.NEG, Operation.NOT, Operation.AND_REDUCE, Operation.OR_REDUCE)
#: The parity of more bits is not asked: a solver of clauses does not end.
PARITY = 24
#: Nor of quotients whose dividend and divisor have more bits than that, together.
DIVIDED = 16


def operator_claims(ta: ApFixed, tb: ApFixed, *, kernels: Source | None = None) -> Iterator[Claim]:
    """All operators of two types, and of the first alone, that a solver can be asked about.

    Args:
        ta: fixed point or an integer, of the left operand.
        tb: of the right one.
        kernels: other source text for them.
    """
    ops = [*PLAIN, Operation.MUL]
    if ta.width + max(tb.frac, 0) + tb.width <= DIVIDED:
        ops += DIVISIONS
    yield from binary_claims(ops, ta, tb, kernels=kernels)
    yield from unary_claims(ta, kernels=kernels)


def served(op: Operation, ta: ApFixed, tb: ApFixed | None, count: Any = None) -> bool:
    """Whether C++ has an operator, and 64 bits are enough for it."""
    try:
        target = result_type(op, ta, count if op is Operation.RANGE else tb)
    except ValueError:
        return False
    return fits_words(op, ta, tb, target)


def binary_claims(
    ops: Sequence[Operation], ta: ApFixed, tb: ApFixed, *, kernels: Source | None = None
) -> Iterator[Claim]:
    """``a op b`` of codes of two types, in the type that C++ gives it: those that are served.

    Args:
        ops: operators, of which only divisions have premises: no divisor is zero.
        ta: fixed point or an integer, of the left operand.
        tb: of the right one.
        kernels: other source text for them.
    """
    module = kernels or source_of(OPERATORS)
    a, b = Word.named("a", ta.width), Word.named("b", tb.width)
    for group in (PLAIN, (Operation.MUL,), DIVISIONS):
        together = [op for op in group if op in ops and served(op, ta, tb)]
        if together:
            given = [law.defined(together[0], b, ta, tb)]
            duties: list[Truth] = []
            pairs = [_pair(module, op, a, ta, b, tb, duties, given) for op in together]
            names = ", ".join(op.value for op in together)
            inputs = {"a": a, "b": b}
            yield Claim(
                f"{ta} and {tb}: {names}", OPERATORS, inputs, [*pairs, *kept(duties)], given
            )


def unary_claims(ta: ApFixed, *, kernels: Source | None = None) -> Iterator[Claim]:
    """Operators of one code: also shifts, bits and slices, each at a few numbers and the last.

    A number is one of Python for all codes, or an element of an array of them.

    Args:
        ta: fixed point or an integer.
        kernels: other source text for them.
    """
    module = kernels or source_of(OPERATORS)
    a = Word.named("a", ta.width)
    duties: list[Truth] = []
    asked: list[tuple[Operation, Any]] = [(op, None) for op in UNARY]
    if ta.width <= PARITY:
        asked.append((Operation.XOR_REDUCE, None))
    for op in (Operation.LSHIFT, Operation.RSHIFT, Operation.BIT, Operation.SET, Operation.CLEAR):
        low, high = count_bounds(op, ta)
        counts = {0, 1, ta.width // 2, ta.width - 1, ta.width, ta.width + 1, -1, -ta.width}
        asked += [(op, count) for count in sorted(counts) if low <= count <= high]
    last = ta.width - 1
    asked += [(Operation.RANGE, ends) for ends in {(last, 0), (0, last), (last, last // 2)}]
    pairs = [
        _pair(module, op, a, ta, count, None, duties, (), each)
        for op, count in asked
        for each in ((False, True) if op.counted else (False,))
        if served(op, ta, None, count)
    ]
    yield Claim(f"{ta}: one operand", OPERATORS, {"a": a}, [*pairs, *kept(duties)])


def _pair(
    module: Source,
    op: Operation,
    a: Word,
    ta: ApFixed,
    b: Any,
    tb: ApFixed | None,
    duties: list[Truth],
    given: Sequence[Truth],
    each: bool = False,
) -> Pair:
    """What the source makes of it, and the law, as the ``int64`` that users get."""
    target: Any = result_type(op, ta, b if op is Operation.RANGE else tb)
    x = a.extended(64, ta.signed)
    y = Word.of(b, 64) if each else b if tb is None else b.extended(64, tb.signed)
    found = module.call(
        "compute_words", op, x, ta, y, tb, target, duties=duties, given=given, compiled=False
    )
    right = law.compute(op, a, ta, b, tb).extended(64, target.signed)
    return Pair(f"{ta} {op.value} {b if tb is None else tb}", as_word(found), right)
