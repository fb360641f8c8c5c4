"""C++ programs that show one answer of the headers: copy, paste, compile, compare."""

from __future__ import annotations

import math
from typing import Any

from harness.oracle.kernels import full_cpp
from harness.types import ApFixed, Operation

__all__ = ["assign", "cast", "compute", "from_number"]


def from_number(number: str, x: Any, t: ApFixed) -> str:
    """``t(x)``."""
    return _program(f"{full_cpp(t)} result({_literal(number, x)});")


def cast(code: int, source: ApFixed, target: ApFixed) -> str:
    """``target(a)``."""
    return _program(f"{_variable('a', code, source)}\n  {full_cpp(target)} result(a);")


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
    return f"{full_cpp(t)} {name};\n  {name}.range({t.width - 1}, 0) = {parse};"


def _program(body: str) -> str:
    return (
        "// g++ -std=c++17 -w -I DIRECTORY_OF_AP_FIXED_H this.cpp && ./a.out\n"
        "#include <iostream>\n"
        '#include "ap_fixed.h"\n'
        "int main() {\n"
        f"  {body}\n"
        "  std::cout << result.range().to_string(16) << std::endl;\n"
        "}\n"
    )
