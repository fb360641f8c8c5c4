"""Read a C++ function's signature with libclang: types as the compiler resolves them."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import children
from harness.cosim.cxx.directions import direction_of, indexed, keeps_state
from harness.cosim.cxx.types import number_of
from harness.cosim.errors import CompileError, CosimError, SignatureError
from harness.cosim.signature import RESULT, Port, Signature
from harness.types import NumberType

__all__ = [
    "Parsed",
    "clang",
    "included",
    "read_signature",
    "system_arguments",
    "system_folders",
    "told",
]

PROBE = "harness_probe"
NAME = f"{PROBE}.cpp"
ALLOWED = (
    "ap_[u]fixed, ap_[u]int, ap_float<M,E,E0>, ac_fixed, ac_int, C++'s own numbers, arrays, "
    "references and pointers to them, structs of them, hls::stream"
)


@dataclass(frozen=True)
class Parsed:
    """What the front end found.

    Attributes:
        signature: of the function.
        definitions: for each struct, its C++ name and fields, those inside others first.
        declarations: how each argument is declared as a variable; ``{}`` is its name.
        returns: whether the function returns a value.
        files: what it was read from, all headers included.
    """

    signature: Signature
    definitions: dict[str, tuple[str, ...]]
    declarations: tuple[str, ...]
    returns: bool
    files: tuple[str, ...]

    def named(self) -> list[str]:
        """The declarations with the arguments' own names."""
        both = zip(self.declarations, self.signature.ports, strict=True)
        return [declaration.format(port.name) for declaration, port in both]


@functools.cache
def clang() -> Any:
    """The module ``clang.cindex``.

    Raises:
        CosimError: if it is not there.
    """
    try:
        from clang import cindex
    except ImportError:
        raise CosimError(
            "C++ functions are read by libclang; pip install 'hls-harness[cosim]'"
        ) from None
    return cindex


@functools.cache
def system_folders(compiler: str) -> tuple[str, ...]:
    """Where g++ looks for its own headers, so that both compilers read the same.

    Raises:
        CompileError: if it does not say.
    """
    command = [compiler, "-E", "-x", "c++", "/dev/null", "-v"]
    shown = children.run(command, tempfile.gettempdir())
    between = re.search(r"<\.\.\.> search starts here:\n(.*?)End of search", shown.stderr, re.S)
    if between is None:
        raise CompileError(f"{compiler} -v does not tell where its headers are")
    return tuple(line.strip() for line in between[1].splitlines())


def system_arguments(compiler: str) -> list[str]:
    """Arguments of libclang that make it read g++'s own headers."""
    folders = [part for folder in system_folders(compiler) for part in ("-isystem", folder)]
    return ["-nostdinc", "-nostdinc++", *folders]


def read_signature(
    source: Path,
    top: str,
    options: Sequence[str],
    compiler: str,
    *,
    defines: Sequence[str],
    sizes: Mapping[str, int],
    directions: Mapping[str, str],
) -> Parsed:
    """What the function ``top`` of a source takes and gives.

    Args:
        source: the file that has it.
        top: its name, with its namespace and template arguments; with the types of its parameters
            behind it if it is overloaded.
        options: of the compiler: folders, the standard.
        compiler: whose system headers are used.
        defines: macros, ``NAME`` or ``NAME=VALUE``.
        sizes: numbers of elements behind pointers and in streams, by name.
        directions: ``in``, ``out`` or ``inout`` where the source does not tell, by name.

    Raises:
        CompileError: with the first error of the source.
        SignatureError: if there is no such function, or it takes what we cannot carry.
    """
    unit = _parse(source, top, options, compiler, defines)
    function = _function(unit, source, top)
    reader = _Reader(sizes, directions, function)
    ports = [reader.port(p) for p in function.get_arguments()]
    for kind, given in (("sizes", sizes), ("directions", directions)):
        for name in given:
            if name not in reader.seen:
                raise SignatureError(
                    f"{kind} names {name!r}; {function.spelling} takes {', '.join(reader.seen)}"
                )
    result = function.result_type.get_canonical()
    returns = result.kind.name != "VOID"
    if returns:
        ports.append(reader.returned(result))
    if not any(p.comes_out for p in ports):
        raise SignatureError(
            f"{top} gives nothing back: no result, and no reference, pointer or array it writes to"
        )
    name = re.sub(r"\s*[<(].*", "", top)
    files = {str(source)} | {str(i.include) for i in unit.get_includes()}
    return Parsed(
        Signature(name, tuple(ports), keeps_state(function)),
        reader.structs,
        tuple(reader.declarations),
        returns,
        tuple(sorted(f for f in files if f != NAME)),
    )


def included(source: Path, defines: Sequence[str]) -> str:
    """A line that reads a source with its macros, which reach nothing that was read before."""
    macros = (macro.partition("=") for macro in defines)
    lines = (f"#define {name} {value if equals else 1}\n" for name, equals, value in macros)
    return f'{"".join(lines)}#include "{source}"'


def _parse(
    source: Path, top: str, options: Sequence[str], compiler: str, defines: Sequence[str]
) -> Any:
    cindex = clang()
    name = re.sub(r"\s*\(.*", "", top, flags=re.S)
    # An address makes the compiler resolve the name, and instantiate a template.
    text = f"{included(source, defines)}\nstatic auto* const {PROBE} = &{name};\n"
    arguments = ["-x", "c++", *options, *system_arguments(compiler), "-ferror-limit=1"]
    try:
        return cindex.Index.create().parse(NAME, args=arguments, unsaved_files=[(NAME, text)])
    except cindex.TranslationUnitLoadError:
        raise CompileError(f"libclang cannot read {source}") from None


def told(error: str) -> str:
    """A compiler's error, with the remedy if it misses a header of Vitis that is not open."""
    missing = re.search(r"[' ]((?:ap|hls|ac|etc/ap)_\w+\.h)\b.*(?:not found|No such file)", error)
    if missing is None:
        return error
    return f"{error}; {missing[1]} is not among the open headers: name its folder with include="


def _function(unit: Any, source: Path, top: str) -> Any:
    """The function that the probe's address is of."""
    cindex = clang()
    probe_line = unit.cursor.extent.end.line - 1
    wrong = [d for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
    for d in wrong:
        where = d.location.file
        if where is None or where.name != NAME or d.location.line != probe_line:
            place = f"{where.name}:{d.location.line}: " if where else ""
            raise CompileError(told(f"{place}{d.spelling}"))
    for cursor in unit.cursor.get_children():
        if cursor.spelling == PROBE:
            for inner in cursor.walk_preorder():
                meant = inner.referenced if inner.kind.name == "DECL_REF_EXPR" else None
                if meant is not None and meant.kind == cindex.CursorKind.FUNCTION_DECL:
                    return _defined(meant)
    return _among_namesakes(unit, source, top)


def _defined(function: Any) -> Any:
    return function.get_definition() or function


def _among_namesakes(unit: Any, source: Path, top: str) -> Any:
    """The one of several functions that ``top`` tells by its parameters; says what there is."""
    kinds = clang().CursorKind
    bare = re.sub(r"\s*[<(].*", "", top, flags=re.S)
    last = bare.rpartition("::")[2]
    own = [c for c in _user_cursors(unit.cursor, source) if _is_function(c)]
    named = [c for c in own if c.spelling == last]
    plain = [c for c in named if c.kind == kinds.FUNCTION_DECL]
    wanted = re.search(r"\((.*)\)\s*$", top, re.S)
    if wanted:
        for cursor in plain:
            if _squeezed(_parameters(cursor)) == _squeezed(wanted[1]):
                return _defined(cursor)
    if plain:
        shown = "; ".join(dict.fromkeys(f"{last}({_parameters(c)})" for c in plain))
        raise SignatureError(f"{top} is overloaded: name one with its parameters: {shown}")
    if named:
        raise SignatureError(f"{last} is a template: name its arguments, as in top='{last}<8>'")
    functions = ", ".join(dict.fromkeys(c.spelling for c in own if c.spelling != "main"))
    raise SignatureError(f"{source.name} has no function {bare}; it has {functions or 'none'}")


def _is_function(cursor: Any) -> bool:
    kinds = clang().CursorKind
    return cursor.kind in (kinds.FUNCTION_DECL, kinds.FUNCTION_TEMPLATE)


def _user_cursors(cursor: Any, source: Path) -> Iterator[Any]:
    """Declarations of the user's own files: the source's folder and below, namespaces entered."""
    kinds = clang().CursorKind
    folder = source.parent
    for child in cursor.get_children():
        place = child.location.file
        if place is None or folder not in Path(place.name).parents:
            continue
        if child.kind in (kinds.NAMESPACE, kinds.LINKAGE_SPEC, kinds.UNEXPOSED_DECL):
            yield from _user_cursors(child, source)
        yield child


def _parameters(cursor: Any) -> str:
    return ", ".join(p.type.spelling for p in cursor.get_arguments())


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


class _Reader:
    """Turns parameters into ports, and notes what the wrapper has to declare."""

    def __init__(
        self, sizes: Mapping[str, int], directions: Mapping[str, str], function: Any
    ) -> None:
        self._sizes = sizes
        self._directions = directions
        self._function = function
        self.structs: dict[str, tuple[str, ...]] = {}
        self.declarations: list[str] = []
        self.seen: list[str] = []

    def port(self, parameter: Any) -> Port:
        """A parameter as a port."""
        name = parameter.spelling or f"argument_{len(self.seen)}"
        self.seen.append(name)
        kinds = clang().TypeKind
        kind = parameter.type
        canonical = kind.get_canonical()
        written = canonical.kind in (kinds.LVALUEREFERENCE, kinds.RVALUEREFERENCE, kinds.POINTER)
        pointer = False
        if canonical.kind in (kinds.LVALUEREFERENCE, kinds.RVALUEREFERENCE):
            canonical = canonical.get_pointee()
        elif canonical.kind == kinds.POINTER:
            canonical, pointer = canonical.get_pointee(), True
        constant, shape = canonical.is_const_qualified(), []
        if canonical.kind == kinds.INCOMPLETEARRAY:
            canonical, pointer = canonical.element_type, True
            constant = canonical.is_const_qualified()
        if pointer:
            written = True
            shape = self._behind(name, parameter)
        while canonical.kind == kinds.CONSTANTARRAY:
            written = True
            shape.append(canonical.get_array_size())
            canonical = canonical.element_type
            constant = constant or canonical.is_const_qualified()
        direction = "in"
        if written and not constant:
            direction = direction_of(self._function, parameter)
        direction = self._directions.get(name, direction)
        if direction not in ("in", "out", "inout"):
            raise SignatureError(f"{name} goes in, out or inout, not {direction!r}")
        if constant and direction != "in":
            raise SignatureError(f"{name} is const in C++: it goes in")
        found = self._typed(name, canonical, tuple(shape), direction)
        dimensions = "".join(f"[{n}]" for n in (shape or ([1] if pointer else [])))
        self.declarations.append(f"static {_bare(canonical)} {{}}{dimensions};")
        return replace(found, pointer=pointer and not shape)

    def returned(self, canonical: Any) -> Port:
        """What the function returns."""
        self.declarations.append(f"static {_bare(canonical)} {{}};")
        return self._typed(RESULT, canonical, (), "out")

    def _behind(self, name: str, parameter: Any) -> list[int]:
        """The dimension that a pointer stands for; none for a pointer to one value."""
        if name in self._sizes:
            return [self._sizes[name]]
        if parameter.type.get_canonical().kind.name == "POINTER" and not indexed(
            self._function, parameter
        ):
            return []
        raise SignatureError(
            f"{name} points to values, and C++ does not say how many: sizes={{{name!r}: N}}"
        )

    def _typed(self, name: str, kind: Any, shape: tuple[int, ...], direction: str) -> Port:
        text = _bare(kind)
        if match := re.fullmatch(r"hls::stream<(.*)>", text, re.S):
            if shape:
                raise SignatureError(f"{name} is an array of streams, which is not carried")
            if kind.get_num_template_arguments() < 1:
                raise SignatureError(f"{name} has the type {text}; allowed: {ALLOWED}")
            inner = kind.get_template_argument_type(0).get_canonical()
            found = self._typed(name, inner, (), direction)
            length = self._sizes.get(name)
            return replace(found, cpp=match[1], stream=True, length=length)
        t = number_of(kind, text)
        if t is None and kind.kind.name == "ENUM":
            t = _enumerated(kind)
        if t is not None:
            return Port(name, text, t, shape, direction)
        return Port(name, text, None, shape, direction, fields=self._fields(name, kind, direction))

    def _fields(self, name: str, kind: Any, direction: str) -> tuple[Port, ...]:
        cindex = clang()
        text = _bare(kind)
        declared = kind.get_declaration()
        bases = [c for c in declared.get_children() if c.kind.name == "CXX_BASE_SPECIFIER"]
        fields = list(kind.get_fields()) if kind.kind == cindex.TypeKind.RECORD else []
        hidden = [
            f.spelling for f in fields if f.access_specifier.name not in ("PUBLIC", "INVALID")
        ]
        if not fields or hidden or bases or declared.kind.name == "UNION_DECL":
            raise SignatureError(f"{name} has the type {text}; allowed: {ALLOWED}")
        ports = []
        for field in fields:
            if field.is_bitfield():
                raise SignatureError(
                    f"{name}.{field.spelling} is a bit field, which has no address"
                )
            inner, shape = field.type.get_canonical(), []
            while inner.kind == cindex.TypeKind.CONSTANTARRAY:
                shape.append(inner.get_array_size())
                inner = inner.element_type
            port = self._typed(f"{name}.{field.spelling}", inner, tuple(shape), direction)
            if port.stream:
                raise SignatureError(f"{port.name} is a stream in a struct, which is not carried")
            ports.append(replace(port, name=field.spelling))
        self.structs[text] = tuple(field.spelling for field in fields)
        return tuple(ports)


def _bare(canonical: Any) -> str:
    """A type's full name without const."""
    text = re.sub(r"^(?:const |volatile )+", "", canonical.get_canonical().spelling)
    return text if text.strip() else "?"


def _enumerated(kind: Any) -> NumberType | None:
    """The integers of an enumeration."""
    integer = kind.get_declaration().enum_type.get_canonical()
    return number_of(integer, _bare(integer))
