"""What the top function of an hls4ml project says: arrays or streams, and calls of kernels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.hls.project.scope import number
from harness.hls.project.source import (
    BrokenProject,
    ProjectError,
    Source,
    Statement,
    split_arguments,
)

__all__ = ["NUMBER", "Call", "Load", "Top", "Variable", "read_top"]

#: Numbers among the arguments of a call, such as a threshold.
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NAME = r"[A-Za-z_]\w*"
_ARRAY = re.compile(rf"({_NAME}) ({_NAME}) ?\[(.+)\]")
_STREAM_PORT = re.compile(rf"hls::stream ?<({_NAME})> ?& ?({_NAME})")
_STREAM = re.compile(rf'hls::stream ?<({_NAME})> ({_NAME}) ?\("\w+"\)')
_ALIAS = re.compile(rf"auto ?& ?({_NAME}) = ({_NAME})")
_CALL = re.compile(r"(?:(\w+)::)?(\w+) ?<(.*)> ?\((.*)\)")
_LOAD = re.compile(rf'nnet::load_(\w*?)_?weights_from_txt<(.+), ?(.+)>\(({_NAME}), "(.+)"\)')
#: What stands around loading the weights, and computes nothing.
_IDLE = re.compile(
    r"static bool loaded_weights = false|loaded_weights = true|nnet::save_layer_output ?<.*|"
    r"(?:static )?const unsigned \w+ = .*|return"
)


@dataclass(frozen=True)
class Variable:
    """An array of values, or a stream of small ones.

    Attributes:
        name: its name.
        type_name: the name of its type, or of the type of what passes through the stream.
        shape: its sizes; hls4ml writes them as a product.  Empty for a stream: nothing in the top
            function says how much passes through.
        place: file and line of the declaration.
        stream: whether it is a stream.
    """

    name: str
    type_name: str
    shape: tuple[int, ...]
    place: str
    stream: bool = False


@dataclass(frozen=True)
class Call:
    """One call of a kernel in the top function.

    Attributes:
        kernel: its name.
        types: the names of its type arguments, those of the data first, the result's last.
        config: the name of its configuration, or the number in its place; empty if it has none.
        arguments: what it is given: arrays and weights.
        layer: the layer's name, from the comment behind the call.
        place: file and line.
        end: the offset in the file behind the call.
    """

    kernel: str
    types: tuple[str, ...]
    config: str
    arguments: tuple[str, ...]
    layer: str
    place: str
    end: int


@dataclass(frozen=True)
class Load:
    """A file of weights that C simulation reads.

    Attributes:
        weight: the array it fills.
        type_name: the type that the numbers are read as.
        size: how many numbers are wanted.
        file: the file's name.
        kind: empty, ``compressed`` or ``exponent``.
        place: file and line.
    """

    weight: str
    type_name: str
    size: int
    file: str
    kind: str
    place: str


@dataclass(frozen=True)
class Top:
    """The top function.

    Attributes:
        name: the function, which is the project.
        namespace: where it is; empty if in none.
        file: its file, relative to the project.
        ports: its arguments, without weights.
        external: those that are weights, in order.
        arrays: ports, local arrays and streams, and names for them.
        loads: the weights it loads.
        calls: the kernels it calls, in order.
    """

    name: str
    namespace: str
    file: str
    ports: tuple[Variable, ...]
    external: tuple[Variable, ...]
    arrays: Mapping[str, Variable]
    loads: tuple[Load, ...]
    calls: tuple[Call, ...]


def _sizes(text: str, place: str) -> tuple[int, ...]:
    """The sizes of an array, ``2*8*8``."""
    return tuple(number(part, place) for part in text.split("*"))


def read_top(root: Path, name: str) -> Top:
    """The top function, ``firmware/<name>.cpp``."""
    source = Source(root / "firmware" / f"{name}.cpp", root)
    heads = [s for s in source.statements if re.match(rf"void {name} ?\(", s.text)]
    if not heads or heads[0].body is None:
        raise ProjectError(f"{source.name} has no function void {name}(...)")
    head = heads[0]
    place = f"{source.name}:{head.line}"
    listed = head.text[head.text.index("(") + 1 : head.text.rindex(")")]
    given = tuple(_port(text, place) for text in split_arguments(listed))
    headers = root / "firmware" / "weights"
    external = tuple(v for v in given if (headers / f"{v.name}.h").is_file())
    ports = tuple(v for v in given if v not in external)
    reader = _Body(source, {v.name: v for v in ports})
    for s in head.body or ():
        reader.read(s)
    if not reader.calls:
        raise BrokenProject(
            f"{place}: {name} calls no kernel, so nothing is computed: hls4ml has none for a layer "
            "of the model, or the file is not complete"
        )
    return Top(
        name,
        source.namespace,
        source.name,
        ports,
        external,
        reader.arrays,
        tuple(reader.loads),
        tuple(reader.calls),
    )


def _port(text: str, place: str) -> Variable:
    if match := _ARRAY.fullmatch(text):
        return Variable(match[2], match[1], _sizes(match[3], place), place)
    if match := _STREAM_PORT.fullmatch(text):
        return Variable(match[2], match[1], (), place, stream=True)
    raise ProjectError(
        f"{place}: the argument {text} is not understood; supported: arrays and streams"
    )


class _Body:
    """What the statements of the top function declare and call."""

    def __init__(self, source: Source, arrays: dict[str, Variable]) -> None:
        self.source, self.arrays = source, arrays
        self.loads: list[Load] = []
        self.calls: list[Call] = []

    def read(self, s: Statement) -> None:
        """Take up a statement."""
        place = f"{self.source.name}:{s.line}"
        if s.body is not None:
            if s.text != "if (!loaded_weights)":
                raise self.source.error(
                    s.line, f"'{s.text} {{' is not supported; supported: one kernel after another"
                )
            for inner in s.body:
                self.read(inner)
        elif match := _LOAD.fullmatch(s.text):
            kind, type_name, size, weight, file = match.groups()
            self.loads.append(Load(weight, type_name, number(size, place), file, kind, place))
        elif match := _ALIAS.fullmatch(s.text):
            if match[2] not in self.arrays:
                raise self.source.error(s.line, f"{match[2]} is not declared")
            self.arrays[match[1]] = self.arrays[match[2]]
        elif match := _ARRAY.fullmatch(s.text):
            sizes = _sizes(match[3], place)
            self.arrays[match[2]] = Variable(match[2], match[1], sizes, place)
        elif match := _STREAM.fullmatch(s.text):
            self.arrays[match[2]] = Variable(match[2], match[1], (), place, stream=True)
        elif _IDLE.fullmatch(s.text):
            pass
        elif match := _CALL.fullmatch(s.text):
            self.calls.append(self._call(match, s, place))
        else:
            raise self.source.error(
                s.line,
                f"not understood: {s.text}; supported: arrays, and calls nnet::kernel<...>(...)",
            )

    def _call(self, match: re.Match[str], s: Statement, place: str) -> Call:
        _, kernel, types, arguments = match.groups()
        names = split_arguments(types)
        config = names.pop() if len(names) > 1 else ""
        given = tuple(split_arguments(arguments))
        layer = self.source.comment_after(s) or f"{kernel}, line {s.line}"
        return Call(kernel, tuple(names), config, given, layer, place, s.end)
