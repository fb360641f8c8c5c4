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


def compute(op: Operation, a: int, ta: ApFixed, b: int, tb: ApFixed | None) -> str:
    """``a op b``."""
    lines = _variable("a", a, ta)
    if op is Operation.NEG:
        return _program(f"{lines}\n  auto result = -a;")
    if tb is None:
        return _program(f"{lines}\n  auto result = a {op.value} {b};")
    return _program(f"{lines}\n  {_variable('b', b, tb)}\n  auto result = a {op.value} b;")


def assign(op: Operation, a: int, ta: ApFixed, b: int, tb: ApFixed) -> str:
    """``a op= b``."""
    lines = f"{_variable('result', a, ta)}\n  {_variable('b', b, tb)}"
    return _program(f"{lines}\n  result {op.value}= b;")


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
        "int main() {\n"
        f"  {body}\n"
        f"  std::cout << {shown} << std::endl;\n"
        "}\n"
    )
