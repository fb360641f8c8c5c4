"""Answers of two sides, compared as codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.cosim.errors import SignatureError
from harness.cosim.numbers import codes_of_values, values_of_codes
from harness.cosim.signature import Port, Signature
from harness.types import BinaryFloat

__all__ = ["Answer", "first_difference"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Answer:
    """What a side gave: a value and its code, or a text where it has none."""

    value: str
    code: int | None = None


#: The call, the output, the place in it, and what both sides gave there.
Found = tuple[int, str, str, tuple[Answer, Answer]]


def first_difference(
    signature: Signature, answers: Sequence[Sequence[Any]], sides: Sequence[Any], calls: int
) -> Found | None:
    """The first call that the sides answer differently, and where.

    Raises:
        SignatureError: if a side's answer has another shape.
    """
    best: Found | None = None
    for port, a, b in zip(signature.outputs, *answers, strict=True):
        coded = [_Coded.of(port, x, side, calls) for x, side in zip((a, b), sides, strict=True)]
        for found in _differences(port, port.name, coded[0], coded[1]):
            if best is None or found[0] < best[0]:
                best = found
    return best


@dataclass
class _Coded:
    """Codes of an output with a leading axis of calls; or call by call, where they differ in shape.

    A call whose values have no code holds the reason instead.
    """

    calls: Any

    @classmethod
    def of(cls, port: Port, answer: Any, side: Any, calls: int) -> _Coded:
        """An output of a side: codes if it has a signature of its own, else values."""
        if side.signature is not None:
            return cls(answer)
        if len(answer) != calls:
            raise SignatureError(
                f"{side.name} returns {len(answer)} calls for {port.name}, of {calls}"
            )
        if port.type is None:
            return cls([_named(port, one, side) for one in answer])
        try:
            return cls(_shaped(port, codes_of_values(np.stack(answer), port.type), side, 1))
        except (TypeError, ValueError):
            return cls([_coded_call(port, one, side) for one in answer])


def _named(port: Port, one: Any, side: Any) -> Any:
    """A struct's fields as codes."""
    given = one._asdict() if hasattr(one, "_asdict") else one
    names = [f.name for f in port.fields]
    if not isinstance(given, dict) or set(given) != set(names):
        raise SignatureError(f"{side.name} returns no dict of {', '.join(names)} for {port.name}")
    return port.record(
        *(
            _named(f, given[f.name], side)
            if f.type is None
            else _coded_call(port.field(f), given[f.name], side)
            for f in port.fields
        )
    )


def _coded_call(port: Port, one: Any, side: Any) -> Any:
    """Codes of one call's values, or the values that have none."""
    try:
        codes = codes_of_values(one, port.type)  # type: ignore[arg-type]
    except ValueError:
        return _Uncoded(_shaped(port, np.asarray(one), side, 0))
    except TypeError as error:
        raise SignatureError(f"{side.name} returns for {port.name}: {error}") from None
    return _shaped(port, codes, side, 0)


@dataclass
class _Uncoded:
    """Values some of which the type has not."""

    values: Array


def _shaped(port: Port, found: Array, side: Any, lead: int) -> Array:
    own = found.shape[lead + port.stream :]
    if own == port.shape:
        return found
    if port.shape == (1,) and own == ():
        return found[..., np.newaxis]
    raise SignatureError(
        f"{side.name} returns the shape {own} for {port.name}, which has {port.shape}"
    )


def _differences(port: Port, name: str, a: _Coded, b: _Coded) -> Iterator[Found]:
    """The first call that differs, if any, of each number in an output."""
    if port.type is None:
        for f in port.fields:
            inner = [_Coded(_column(x.calls, f.name)) for x in (a, b)]
            yield from _differences(f, f"{name}.{f.name}", inner[0], inner[1])
        return
    x, y = a.calls, b.calls
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.shape == y.shape:
        differ = _unequal(x, y, port).reshape(len(x), -1).any(axis=1)
        first = [int(differ.argmax())] if differ.any() else []
    else:
        first = [k for k in range(len(x)) if _differ(x[k], y[k], port)][:1]
    for call in first:
        place, both = _where(port, x[call], y[call])
        yield call, name, place, both


def _column(calls: Any, name: str) -> Any:
    if hasattr(calls, "_fields"):
        return getattr(calls, name)
    return [getattr(one, name) for one in calls]


def _unequal(x: Array, y: Array, port: Port) -> Array:
    """Where codes differ; NaN is NaN, whatever its payload."""
    found = np.asarray(x != y, bool)
    if isinstance(port.type, BinaryFloat) and found.any():
        a, b = (np.asarray(values_of_codes(c, port.type), np.float64) for c in (x, y))
        found &= ~(np.isnan(a) & np.isnan(b))
    return found


def _differ(x: Any, y: Any, port: Port) -> bool:
    if isinstance(x, _Uncoded) or isinstance(y, _Uncoded):
        return True
    x, y = np.asarray(x), np.asarray(y)
    return x.shape != y.shape or bool(_unequal(x, y, port).any())


def _where(port: Port, x: Any, y: Any) -> tuple[str, tuple[Answer, Answer]]:
    """The first place in an output that differs."""
    both = [_elements(v, port) for v in (x, y)]
    shapes = [shape for shape, _ in both]
    if shapes[0] != shapes[1]:
        counts = [Answer(f"{s[0] if s else 1} values") for s in shapes]
        return "", (counts[0], counts[1])
    for index in np.ndindex(*shapes[0]):
        pair = both[0][1](index), both[1][1](index)
        same_code = pair[0].code is not None and pair[0].code == pair[1].code
        nan = pair[0].value == pair[1].value == "nan"
        if not same_code and not nan:
            return "".join(f"[{k}]" for k in index), pair
    raise AssertionError("what differs differs somewhere")


def _elements(given: Any, port: Port) -> Any:
    """The shape of one call's output, and its answer at a place."""
    t = port.type
    assert t is not None
    if not isinstance(given, _Uncoded):
        codes = np.asarray(given)
        return codes.shape, lambda at: Answer(shown_value(codes[at], t), int(codes[at]))
    values = given.values

    def answer(at: Any) -> Answer:
        one = values[at]
        try:
            code = codes_of_values(np.array([one]), t)[0]
        except (TypeError, ValueError):
            return Answer(f"{one!s}, which {t} has not")
        return Answer(shown_value(code, t), int(code))

    return values.shape, answer


def shown_value(code: Any, t: Any) -> str:
    """A code's value, as people write it."""
    value = values_of_codes(np.array([code]), t)[0]
    return str(value)
