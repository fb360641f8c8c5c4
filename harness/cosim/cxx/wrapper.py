"""The C++ around a function: a row of words in, the call, a row of words out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.cosim.cxx.frontend import Parsed, included
from harness.cosim.signature import RESULT, Port

__all__ = ["call_of", "wrapper_source"]


def wrapper_source(
    source: Path, defines: Sequence[str], top: str, parsed: Parsed, tuned: bool
) -> str:
    """The translation unit that has the user's source and the program around ``top``.

    Ours is read first, where no macro of the source reaches it; but if the source is ``tuned``, its
    macros are to reach the vendor's headers, and it is read first.
    """
    ports = parsed.signature.ports
    names = [f"argument_{k}" for k in range(len(ports))]
    body = [d.format(name) for d, name in zip(parsed.declarations, names, strict=True)]
    body += [line for k, p in enumerate(ports) for line in _before(p, names[k], k)]
    body.append(call_of(top, parsed, names))
    places = {p.name: k for k, p in enumerate(ports)}
    body += [line for p, name in zip(ports, names, strict=True) for line in _behind(p, name)]
    for p in parsed.signature.outputs:
        body += _after(p, names[places[p.name]], places[p.name])
    lines = "\n".join(f"  {line}" for line in body)
    structs = "\n".join(_struct(name, fields) for name, fields in parsed.definitions.items())
    own = f"#define main harness_users_main\n{included(source, defines)}\n#undef main"
    ours = "\n".join(f'#include "{name}"' for name in ("cosim.h", *_more(ports)))
    both = (own, ours) if tuned else (ours, own)
    return f"""\
{both[0]}
{both[1]}

namespace harness {{
namespace cosim {{
{structs}
}}  // namespace cosim
}}  // namespace harness

static void harness_row(const std::int64_t*& from, std::int64_t*& to) {{
  using namespace harness::cosim;
{lines}
}}

int main(int count, char** arguments) {{
  return harness::cosim::program(harness_row, count, arguments);
}}
"""


def _more(ports: Sequence[Port]) -> Sequence[str]:
    """Headers of ours for the families of types that need them."""
    spelled = " ".join(port.cpp for port in _numbers(ports))
    families = (("ap_float<", "travel_ap_float.h"), ("ac_", "travel_ac.h"))
    return [header for start, header in families if f" {start}" in f" {spelled}"]


def _numbers(ports: Sequence[Port]) -> Iterator[Port]:
    for port in ports:
        if port.type is not None:
            yield port
        yield from _numbers(port.fields)


def call_of(top: str, parsed: Parsed, names: Sequence[str] = ()) -> str:
    """The statement that calls the function; with the arguments' own names if none are given."""
    names = names or [p.name for p in parsed.signature.ports]
    given = names[:-1] if parsed.returns else names
    call = f"{_callee(top)}({', '.join(given)});"
    return f"{names[-1]} = {call}" if parsed.returns else call


def _callee(top: str) -> str:
    """A function's name without the parameters that told it from its namesakes."""
    depth = 0
    for place, letter in enumerate(top):
        depth += (letter == "<") - (letter == ">")
        if letter == "(" and depth == 0:
            return top[:place].strip()
    return top


def _before(port: Port, name: str, place: int) -> Sequence[str]:
    if port.name == RESULT and port.direction == "out":
        return ()
    if not port.goes_in:
        return (f"clear({name});",)
    return (*_room(port, place), f"from = load({name}, from);")


def _behind(port: Port, name: str) -> Sequence[str]:
    """What has to be so after the call."""
    if port.stream and not port.comes_out:
        return (f'drained({name}, "{port.name}");',)
    return ()


def _after(port: Port, name: str, place: int) -> Sequence[str]:
    return (*_room(port, place), f"to = store({name}, to);")


def _room(port: Port, place: int) -> Sequence[str]:
    return (f"capacity = facts->capacities[{place}];",) if port.stream else ()


def _struct(name: str, fields: Sequence[str]) -> str:
    words = " + ".join(f"argument<decltype({name}::{f})>::words" for f in fields)
    loads = "".join(f"    from = cosim::load(value.{f}, from);\n" for f in fields)
    stores = "".join(f"    to = cosim::store(value.{f}, to);\n" for f in fields)
    clears = "".join(f"    cosim::clear(value.{f});\n" for f in fields)
    return f"""\
template <>
struct argument<{name}> {{
  static constexpr std::size_t words = {words};
  static const std::int64_t* load({name}& value, const std::int64_t* from) {{
{loads}    return from;
  }}
  static std::int64_t* store({name}& value, std::int64_t* to) {{
{stores}    return to;
  }}
  static void clear({name}& value) {{
{clears}  }}
}};
"""
