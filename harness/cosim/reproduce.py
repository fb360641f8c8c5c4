"""A difference for others: a main() or a testbench of the user's source, waveforms, the calls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from harness.cosim.draws import nested_inputs
from harness.cosim.errors import CosimError, RunError
from harness.cosim.function import Function
from harness.cosim.hdl.function import RtlFunction
from harness.cosim.hdl.testbench import testbench
from harness.cosim.numbers import values_of_codes
from harness.cosim.record import Compared, Difference
from harness.cosim.sides import Calls, FunctionSide, Side, write_calls
from harness.cosim.signature import Port, Signature
from harness.golden.files import write_aside
from harness.types import BinaryFloat

__all__ = ["reproducer", "write_reproducers"]

Codes = Mapping[str, Any]


def write_reproducers(found: Compared, sides: tuple[Side, Side], folder: Path) -> list[Path]:
    """Write what shows a difference: a program of C++, a testbench and waves of RTL, the calls.

    Returns:
        The files: ``main_a.cpp``, or ``waves_a.vcd`` and ``tb_a.sv``, and ``calls_a.json``, of the
        first side; with ``b`` of the second.

    Raises:
        CosimError: if there is no difference.
        OSError: if the folder cannot be written.
    """
    difference = found.difference
    if difference is None:
        raise CosimError(f"{found.names[0]} and {found.names[1]} agree: nothing to reproduce")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for letter, side in zip("ab", sides, strict=True):
        if not isinstance(side, FunctionSide):
            continue
        own = _in_names_of(side.function.signature, difference)
        if isinstance(side.function, RtlFunction):
            written += _waves(side.function, own, folder / f"waves_{letter}.vcd")
        if side.function.program is not None:
            written.append(folder / f"main_{letter}.cpp")
            write_aside(written[-1], reproducer(side.function, own))
        calls = _answered(side, own)
        if isinstance(side.function, RtlFunction):
            written += _testbench(side.function, own, calls, folder / f"tb_{letter}.sv")
        if calls is not None:
            written.append(folder / f"calls_{letter}.json")
            write_calls(written[-1], calls)
    return written


def _in_names_of(signature: Signature, difference: Difference) -> Difference:
    """A difference with the names that this side's arguments have; they correspond by place."""
    both = zip(difference.signature.ports, signature.ports, strict=True)
    named = {theirs.name: own.name for theirs, own in both}

    def renamed(name: str) -> str:
        head, dot, rest = name.partition(".")
        return named[head] + dot + rest

    calls = tuple({renamed(n): c for n, c in call.items()} for call in difference.calls)
    port = None if difference.port is None else renamed(difference.port)
    return replace(difference, calls=calls, port=port, signature=signature)


def _waves(function: RtlFunction, difference: Difference, path: Path) -> list[Path]:
    """The waveforms of the calls, also of those that do not come back."""
    with suppress(RunError):
        function.trace(**_inputs(difference), path=path, batch=True, coded=True)
    return [path] if path.is_file() else []


def _testbench(
    function: RtlFunction, difference: Difference, calls: Calls | None, path: Path
) -> list[Path]:
    """The calls for any simulator, if the module's ports are of those that it can carry."""
    outputs = None if calls is None else calls.outputs
    inputs, count = _inputs(difference), len(difference.calls)
    text = testbench(function.question, count, inputs, outputs, path.name)
    if text is None:
        return []
    write_aside(path, text)
    return [path]


def _inputs(difference: Difference) -> dict[str, Any]:
    calls = difference.calls
    flat = {name: np.stack([np.asarray(c[name]) for c in calls]) for name in calls[0]}
    return nested_inputs(difference.signature, flat)


def _answered(side: FunctionSide, difference: Difference) -> Calls | None:
    """The calls with what a function gives for them; ``None`` if it does not come back."""
    inputs = _inputs(difference)
    side.reset()
    try:
        answers = side.answers(difference.signature, inputs, len(difference.calls))
    except RunError:
        return None
    outputs = {p.name: a for p, a in zip(difference.signature.outputs, answers, strict=True)}
    return Calls(difference.signature, side.name, inputs, outputs)


def reproducer(function: Function, difference: Difference) -> str:
    """The text of a program that makes the calls and prints what comes out.

    Args:
        function: a C++ function.
        difference: whose calls to make, in the names of the function.
    """
    program = function.program
    assert program is not None
    lines = [declared.replace("static ", "") for declared in program.declarations]
    for k, call in enumerate(difference.calls):
        lines.append(f"// call {k}")
        for p in function.signature.inputs:
            lines += _stream(p, call) if p.stream else _set(p, p.name, p.name, call, ())
        lines.append(program.call)
    for p in function.signature.outputs:
        lines += _printed(p, p.name)
    body = "\n".join(f"  {line}" for line in lines)
    source = program.source
    macros = "".join(f" -D{macro}" for macro in source.defines)
    folders = "".join(f" -I{folder}" for folder in program.folders)
    others = "".join(f" {file}" for file in source.files[1:])
    return f"""\
// {function.signature.name} on the inputs on which {difference.port or "it"} differs; prints codes.
// g++ -std={source.std}{macros}{folders} THIS_FILE{others} && ./a.out
#define main users_main
#include "{source.files[0]}"
#undef main
#include <cstdio>

int main() {{
{body}
}}
"""


def _stream(port: Port, call: Codes) -> Iterator[str]:
    """Statements that put a call's values into a stream."""
    name = port.name
    count = len(next(c for n, c in call.items() if n == name or n.startswith(f"{name}.")))
    for k in range(count):
        yield f"{{ {port.cpp} value;"
        yield from _set(port, "value", name, call, (k,))
        yield f"{name}.write(value); }}"


def _set(port: Port, place: str, name: str, call: Codes, at: tuple[int, ...]) -> Iterator[str]:
    """Statements that set a variable to codes."""
    for index in product(*map(range, port.shape)):
        here = ("*" if port.pointer else "") + place + "".join(f"[{k}]" for k in index)
        for f in port.fields:
            yield from _set(f, f"{here}.{f.name}", f"{name}.{f.name}", call, (*at, *index))
        if port.type is not None:
            yield _number(here, port, int(np.asarray(call[name])[(*at, *index)]))


def _number(place: str, port: Port, code: int) -> str:
    """One number set to a code."""
    t = port.type
    assert t is not None
    if isinstance(t, BinaryFloat):
        value = float(values_of_codes(np.array([code]), t)[0])
        special = '__builtin_nan("")' if math.isnan(value) else "__builtin_inf()"
        sign = "-" if value == -math.inf else ""
        return f"{place} = {value.hex() if math.isfinite(value) else sign + special};"
    if port.cpp.startswith("ap_"):
        word = code & ((1 << t.width) - 1)
        return f'{place}.range() = ap_uint<{t.width}>("{word:x}", 16);'
    if port.cpp.startswith("ac_fixed"):
        return f"{place}.set_slc(0, ac_int<{t.width}, true>({code}LL));"
    return f"{place} = ({port.cpp}){code}LL;"


def _printed(port: Port, place: str) -> Iterator[str]:
    """Statements that print codes; a float's value, which says as much."""
    if port.stream:
        yield f'std::printf("{place}: %zu values\\n", {place}.size());'
        yield f"while (!{place}.empty()) {{ {port.cpp} value = {place}.read();"
        yield from _printed(replace(port, stream=False), "value")
        yield "}"
        return
    for index in product(*map(range, port.shape)):
        here = ("*" if port.pointer else "") + place + "".join(f"[{k}]" for k in index)
        for f in port.fields:
            yield from _printed(f, f"{here}.{f.name}")
        if port.type is not None:
            yield _shown(here, port)


def _shown(place: str, port: Port) -> str:
    t = port.type
    assert t is not None
    if isinstance(t, BinaryFloat):
        return f'std::printf("{place} = %a\\n", double({place}));'
    if t.width > 64:
        return f'std::printf("{place}: %s\\n", {place}.range().to_string(16).c_str());'
    code = place
    if port.cpp.startswith("ap_"):
        code = f"{place}.V.get_VAL()"
    if port.cpp.startswith("ac_"):
        code = f"{place}.template slc<{t.width}>(0).to_int64()"
    return f'std::printf("{place}: code %lld\\n", (long long){code});'
