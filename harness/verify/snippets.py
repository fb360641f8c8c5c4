"""Programs that show one answer of the headers, or of the reference: copy, paste, compare."""

from __future__ import annotations

import math
from typing import Any

from harness.oracle.kernels import OURS
from harness.types import ApFixed, MiniFloat, Operation

__all__ = [
    "assign",
    "cast",
    "compute",
    "from_number",
    "minifloat",
    "python",
    "python_cast",
    "python_product",
]


def from_number(number: str, x: Any, t: ApFixed) -> str:
    """``t(x)``."""
    return _program(f"{t.cpp_full} result({_literal(number, x)});")


def cast(code: int, source: ApFixed, target: ApFixed) -> str:
    """``target(a)``."""
    return _program(f"{_variable('a', code, source)}\n  {target.cpp_full} result(a);")


def compute(op: Operation, a: int, ta: ApFixed, b: Any, tb: ApFixed | None) -> str:
    """``a op b``; ``b`` is a code of ``tb``, a count, the number of a bit, or ``(hi, lo)``."""
    lines = _variable("a", a, ta)
    if tb is not None:
        lines += f"\n  {_variable('b', b, tb)}"
    right = "b" if tb is not None else b
    shown = "result.range().to_string(16)"
    if op.assigned is not None:
        return _program(f"{lines}\n  a {op.value} {right};\n  auto& result = a;")
    if op.comparison or op is Operation.BIT:
        shown = "result"
    if op.name.startswith(("TO_", "AND_", "OR_", "XOR_")) and tb is None:
        body, shown = f"auto result = a.{op.value}();", "std::hexfloat << result"
    elif op is Operation.NEG:
        body = "auto result = -a;"
    elif op in (Operation.NOT, Operation.INC, Operation.DEC):
        body = f"auto result = {op.value}a;"
    elif op is Operation.BIT:
        body = f"bool result = a[{b}];"
    elif op in (Operation.SET, Operation.CLEAR):
        body = f"a[{b}] = {int(op is Operation.SET)};\n  auto& result = a;"
    elif op is Operation.RANGE:
        hi, lo = b
        body = f"ap_uint<{abs(hi - lo) + 1}> result = a({hi}, {lo});"
    elif op is Operation.CONCAT:
        body = f"ap_uint<{ta.width + (tb.width if tb else 0)}> result = (a, b);"
    else:
        body = f"auto result = a {op.value} {right};"
    return _program(f"{lines}\n  {body}", shown=shown)


def assign(op: Operation, a: int, ta: ApFixed, b: int, tb: ApFixed) -> str:
    """``a op= b``."""
    return compute(Operation(f"{op.value}="), a, ta, b, tb)


def minifloat(header: str, number: str, x: Any, t: MiniFloat) -> str:
    """``t(x)`` in the vendor's header or in ours; prints the fields."""
    arguments = f"<{t.m}, {t.e}, {t.e0}> result({_literal(number, x)});"
    if header == OURS:
        shown = "result.bits.to_string(16)"
        return _program(f"harness::minifloat{arguments}", header, shown)
    shown = (
        'result.is_negative << " " << result.exponent.range().to_string(2) << " "'
        " << result.mantissa.range().to_string(2)"
    )
    return _program(f"ap_float{arguments}", header, shown).replace("<iostream>", "<sstream>", 1)


def python(x: str, t: Any) -> str:
    """The code of ``x`` by the exact reference."""
    return _python(f"reference.from_double({x}, parse_type({str(t)!r}))")


def python_cast(code: int, source: Any, target: Any) -> str:
    """The code in ``target`` by the exact reference."""
    source, target = (f"parse_type({str(t)!r})" for t in (source, target))
    return _python(f"reference.cast({code}, {source}, {target})")


def python_product(a: int, ta: Any, b: int, tb: Any) -> str:
    """The code of a product by the exact reference."""
    ta, tb = (f"parse_type({str(t)!r})" for t in (ta, tb))
    return _python(f"reference.compute('*', {a}, {ta}, {b}, {tb})")


def _python(expression: str) -> str:
    return f"from harness import parse_type, reference\nprint(hex({expression}))\n"


def _literal(number: str, x: Any) -> str:
    if number.startswith("std::"):
        return f"{number}({int(x)}{'ull' if 'uint' in number else 'll'})".replace(
            "-9223372036854775808ll", "-9223372036854775807ll - 1"
        )
    value = float(x)
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if math.isnan(value):
        text = f'{sign}__builtin_nan("")'
    elif math.isinf(value):
        text = f"{sign}__builtin_inf()"
    else:
        text = value.hex()
    return f"{text}f" if number == "float" and math.isfinite(value) else text


def _variable(name: str, code: int, t: ApFixed) -> str:
    digits = format(code % (1 << t.width), "x")
    parse = f'ap_uint<{t.width}>("{digits}", 16)' if t.width > 1 else f"{code % 2}"
    return f"{t.cpp_full} {name};\n  {name}.range({t.width - 1}, 0) = {parse};"


def _program(
    body: str, header: str = "ap_fixed.h", shown: str = "result.range().to_string(16)"
) -> str:
    return (
        "// g++ -std=c++17 -w -I DIRECTORY_OF_AP_FIXED_H this.cpp && ./a.out\n"
        "#include <iostream>\n"
        f'#include "{header}"\n'
        '#include "ap_int.h"\n'
        "int main() {\n"
        f"  {body}\n"
        f"  std::cout << {shown} << std::endl;\n"
        "}\n"
    )
