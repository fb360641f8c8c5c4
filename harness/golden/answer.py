"""Questions become vectors: the witness and the exact reference answer, and must agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness import reference
from harness.extras import need
from harness.golden.flags import conversion_flags
from harness.golden.inputs import neighbours
from harness.golden.operation_flags import operation_flags
from harness.golden.record import (
    ACCUMULATORS,
    Case,
    Column,
    Group,
    Number,
    code_of,
    operands,
    values,
    word_of,
)
from harness.oracle import Oracle, kernels
from harness.oracle.domain import NUMBERS as DOMAINS
from harness.oracle.domain import Domain, domain
from harness.oracle.kernels import OURS, VENDOR, Kernel
from harness.types import (
    ApFixed,
    Binary,
    IeeeFloat,
    MiniFloat,
    Operation,
    VitisFloat,
)
from harness.verify.witnesses import MPFR

__all__ = [
    "Disagreement",
    "Question",
    "answered",
    "arrays_of",
    "domain_of",
    "kernel_of",
    "kernels_of",
    "vendor_codes",
    "witness_of",
]


class Disagreement(ValueError):
    """The witness and the reference differ: a discovery, and no vector before it has a name."""


@dataclass(frozen=True)
class Question:
    """A group without its answers: ``inputs`` has the words of each input column."""

    operation: str
    columns: dict[str, Column]
    inputs: tuple[tuple[int, ...], ...]
    start: int | None = None
    ends: tuple[int, ...] = ()

    @property
    def target(self) -> Any:
        """The type of the answer."""
        return self.columns["expected"]

    @property
    def converts(self) -> bool:
        """Whether it is a conversion, and no operator."""
        return self.operation in ("convert", "cast")

    @property
    def types(self) -> list[Any]:
        """The types of the inputs."""
        return list(self.columns.values())[: len(self.inputs)]


def kernel_of(question: Question) -> Kernel | None:
    """The C++ that answers; ``None`` where no open header has the type."""
    target, types = question.target, question.types
    if question.converts and isinstance(target, IeeeFloat | VitisFloat):
        return None
    match question.operation:
        case "convert":
            return kernels.from_number(types[0].cpp, target, OURS)
        case "cast":
            if isinstance(target, Binary):
                return kernels.activation("binary_tanh", types[0])
            return kernels.cast(types[0], target, OURS)
        case "sum" | "product":
            return kernels.accumulate(
                Operation.parse(ACCUMULATORS[question.operation]), target, types[0]
            )
    op = Operation.parse(question.operation)
    right = question.ends or (types[1] if op.binary else None)
    return kernels.compute(op, types[0], right, OURS)


def kernels_of(question: Question) -> list[Kernel]:
    """Every kernel that :func:`answered` runs, the vendor's for a minifloat too."""
    kernel, found = kernel_of(question), []
    if kernel is not None:
        found.append(kernel)
        valid = domain_of(question)
        if valid is not None and valid.refusal is None:
            found.append(replace(kernel, header=VENDOR))
    return found


def domain_of(question: Question) -> Domain | None:
    """Where the vendor's ``ap_float.h`` is valid for a conversion; ``None`` if it has none."""
    target = question.target
    if not isinstance(target, MiniFloat) or not question.converts:
        return None
    source = question.types[0]
    if isinstance(source, ApFixed):
        return domain(target, source)
    names = {cpp: name for name, cpp in DOMAINS.items()}
    return domain(target, names[str(source)]) if str(source) in names else None


def vendor_codes(question: Question, where: Any, oracle: Oracle) -> list[int]:
    """What ``ap_float.h`` makes of the inputs picked by a mask, right or wrong."""
    x = arrays_of(question)[0][where]
    source: Any = question.types[0]
    if isinstance(source, ApFixed):
        found = oracle.cast(x, source, question.target)
    else:
        found = oracle.codes(x, question.target)
    return found.tolist()  # type: ignore[no-any-return]


def witness_of(question: Question) -> str:
    """Who says what is right, beside the exact reference."""
    kernel = kernel_of(question)
    if kernel is None:
        return MPFR.name
    if kernel.template == "binary_tanh":
        return "nnet_activation.h"
    return OURS if kernel.header else "ap_fixed.h"


def answered(question: Question, place: int, oracle: Oracle, note: str = "") -> Group:
    """The group, every word of it said by the witness and by the reference.

    Raises:
        Disagreement: where they differ.
        ValueError: where there is no witness.
    """
    codes = _witness(question, oracle)
    agreed = _agrees_with_vendor(question, codes, oracle)
    cases = []
    for k, (exact, flags) in enumerate(_references(question)):
        if int(codes[k]) != exact:
            shown = ", ".join(f"{column[k]:x}" for column in question.inputs)
            raise Disagreement(
                f"{witness_of(question)} and the reference disagree on {question.operation} of "
                f"{shown} ({', '.join(map(str, question.types))} to {question.target}): "
                f"{codes[k]} and {exact}"
            )
        inputs = tuple(column[k] for column in question.inputs)
        vendor = ["ap_float.h"] if agreed[k] else []
        cases.append(Case(inputs, word_of(exact, question.target), (*flags, *vendor)))
    return Group(
        f"{place:04d}",
        question.operation,
        question.columns,
        witness_of(question),
        tuple(cases),
        question.start,
        note,
        ends=question.ends,
    )


def arrays_of(question: Question) -> list[Any]:
    """The inputs as arrays: of floats or integers, else of codes."""
    pairs = zip(question.inputs, question.types, strict=True)
    return [values(list(words), t) for words, t in pairs]


def _witness(question: Question, oracle: Oracle) -> list[int]:
    """What the witness says: Python integers."""
    arrays, types, target = arrays_of(question), question.types, question.target
    if isinstance(target, Binary) and not (isinstance(types[0], ApFixed) and target.zero == 1):
        raise ValueError(f"nobody can witness {types[0]} as {target}: hls4ml makes 0 of ap_fixed 1")
    if question.converts and isinstance(target, IeeeFloat | VitisFloat):
        if question.operation != "convert" or types[0].cpp not in ("double", "float"):
            raise ValueError(f"nobody can witness {question.operation} into {target}")
        need("gmpy2", "MPFR", "verify")
        if not MPFR.accepts(target):
            raise ValueError(f"MPFR does not know {target}")
        return _unfolded(MPFR.answers(arrays[0].astype(np.float64), target), target)
    match question.operation:
        case "convert":
            found = oracle.codes(arrays[0], target, header=OURS)
        case "cast":
            if isinstance(target, Binary):
                found = oracle.activate("binary_tanh", arrays[0], types[0])
            else:
                found = oracle.cast(arrays[0], types[0], target, header=OURS)
        case "sum" | "product":
            op = ACCUMULATORS[question.operation]
            start = code_of(question.start or 0, target)
            found = oracle.accumulate(op, start, target, arrays[0], types[0])
        case op:
            found = oracle.compute(op, *operands(op, arrays, types, question.ends), header=OURS)
    return _unfolded(found, target)


def _unfolded(codes: Any, t: Any) -> list[int]:
    """Codes as the reference has them; an unsigned 64-bit one comes folded."""
    return [code_of(word_of(code, t), t) for code in np.asarray(codes).tolist()]


def _agrees_with_vendor(question: Question, codes: list[int], oracle: Oracle) -> list[bool]:
    """Where ``ap_float.h`` is valid; it is asked there, and must agree."""
    valid = domain_of(question)
    if valid is None or valid.refusal is not None:
        return [False] * len(codes)
    inside = valid.holds(arrays_of(question)[0])
    expected = [code for code, here in zip(codes, inside, strict=True) if here]
    if vendor_codes(question, inside, oracle) != expected:
        raise Disagreement(f"ap_float.h differs inside its domain: {valid.describe()}")
    return inside.tolist()  # type: ignore[no-any-return]


def _references(question: Question) -> Iterator[tuple[int, list[str]]]:
    """What the exact reference says of each case, and its flags."""
    types, target = question.types, question.target
    state = code_of(question.start or 0, target)
    for words in zip(*question.inputs, strict=True):
        a, *rest = (code_of(word, t) for word, t in zip(words, types, strict=True))
        match question.operation:
            case "convert" | "cast":
                yield _converted(a, words[0], types[0], target)
            case "sum" | "product":
                op = f"{ACCUMULATORS[question.operation]}="
                state, flags = _computed(op, (state, target, a, types[0]), target)
                yield state, flags
            case op:
                given = operands(op, [a, *rest], types, question.ends)
                yield _computed(op, given, target)


def _converted(a: Any, word: int, source: Any, target: Any) -> tuple[int, list[str]]:
    if isinstance(source, Number):
        value: Any = a
        makes = {"double": reference.from_double, "float": reference.from_float}
        exact = makes.get(source.cpp, reference.from_int)(a, target)
    else:
        value = reference.decode(a, source)
        exact = reference.cast(a, source, target)
    below, above = neighbours(word, source)
    return exact, conversion_flags(value, below, above, target, exact, source)


def _computed(op: str, given: tuple[Any, ...], target: Any) -> tuple[int, list[str]]:
    code = reference.compute(op, *given)
    return code, operation_flags(Operation.parse(op), given, target, code)
