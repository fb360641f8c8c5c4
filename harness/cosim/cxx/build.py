"""From a C++ source to a program that answers: compiled once, kept by the contents of its files."""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from harness import children
from harness.cosim.cxx.frontend import Parsed, read_signature, system_folders, told
from harness.cosim.cxx.prelude import HEADERS, prelude
from harness.cosim.cxx.wrapper import call_of, wrapper_source
from harness.cosim.errors import CompileError
from harness.cosim.kept import index_of, keep, known, sha256_of
from harness.cosim.signature import Signature
from harness.oracle.build import Compiler, cache_directory, find_compiler
from harness.oracle.headers import Headers, find_headers, kernel_directory

__all__ = ["Program", "Source", "built"]

#: Lines stay in the program, so that a crash can be told by them.
FLAGS = ("-O1", "-g1", "-w", "-fno-pie")
SANITIZE = (
    "-fsanitize=address,bounds,integer-divide-by-zero,null,return",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)
#: A source that sets one of these before it includes the headers needs them read anew.
_TUNES = re.compile(rb"^\s*#\s*define\s+(?:_?AP_|_?HLS_|__SYNTH)", re.M)


@dataclass(frozen=True)
class Source:
    """What the user named.

    Attributes:
        files: sources, the one with the function first.
        top: the function.
        include: folders of headers, after those of the sources.
        defines: macros, ``NAME`` or ``NAME=VALUE``.
        flags: more options of the compiler.
        std: the standard.
        headers: a folder with another copy of the vendor's headers.
        sanitize: whether reads and writes out of bounds end the call.
        count: whether assignments count what they lose.
        sizes: numbers of elements behind pointers and in streams.
        directions: ways of arguments that the source does not tell.
    """

    files: tuple[Path, ...]
    top: str
    include: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    std: str = "c++17"
    headers: Path | None = None
    sanitize: bool = False
    count: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A program that answers, and what it asks for.

    Attributes:
        path: the executable.
        signature: what a call takes and gives.
        files: the user's own sources and headers, absolute.
        source: what the user named.
        folders: where headers are looked for.
        declarations: how C++ declares a variable for each argument, with its name.
        call: the statement that calls the function with them.
    """

    path: Path
    signature: Signature
    files: tuple[Path, ...]
    source: Source
    folders: tuple[Path, ...]
    declarations: tuple[str, ...]
    call: str


def built(source: Source, say: Callable[[str], object] | None = None) -> Program:
    """The program of a source, compiled if its files are not those of an earlier one.

    Raises:
        CompileError: with the compiler's first error.
        SignatureError: if the function is not there, or takes what we cannot carry.
        CosimError: if the cache cannot be written.
    """
    headers, compiler = find_headers(source.headers), find_compiler()
    question = repr((source, headers.digest, compiler, _own_code(), FLAGS, SANITIZE))
    index = index_of(question)
    if (found := known(index)) is not None:
        return _program(*found, source)
    if say is not None:
        say(f"compiling {source.files[0].name} ...")
    with tempfile.TemporaryDirectory(prefix="building-", dir=index.parent) as scratch:
        return _compiled(source, headers, compiler, index, Path(scratch))


@functools.cache
def _own_code() -> str:
    """What of ours decides how a program is read and made."""
    here = Path(__file__).parent
    python = [here / f"{name}.py" for name in ("frontend", "directions", "types", "wrapper")]
    python.append(here.parent / "signature.py")
    cpp = [p for p in kernel_directory().glob("*.h") if p.name.startswith(("cosim", "travel"))]
    cpp += (kernel_directory() / "counting").glob("*.h")
    return " ".join(sha256_of(p) for p in [*python, *sorted(cpp)])


def _program(path: Path, facts: dict[str, Any], source: Source) -> Program:
    return Program(
        path,
        Signature.from_facts(facts["signature"]),
        tuple(Path(f) for f in facts["own"]),
        source,
        tuple(Path(f) for f in facts["folders"]),
        tuple(facts["declarations"]),
        facts["call"],
    )


def _compiled(
    source: Source, headers: Headers, compiler: Compiler, index: Path, scratch: Path
) -> Program:
    options = _options(source, headers)
    first = source.files[0]
    tuned = _tuned(source, headers)
    settings = [option for option in options if not option.startswith("-I")]
    ready = None if tuned else prelude(index.parent, headers.directory, settings, FLAGS, compiler)

    def read(more: Sequence[str]) -> Parsed:
        return read_signature(
            first,
            source.top,
            [*options, *more],
            compiler.command,
            defines=source.defines,
            sizes=source.sizes,
            directions=source.directions,
        )

    parsed = read(["-include-pch", f"{ready}.pch"] if ready else [])
    own = _own_files(source, parsed, compiler, headers)
    if ready and any(_TUNES.search(f.read_bytes()) for f in own):
        ready, tuned = None, True  # whatever it sets comes before the headers now
        parsed = read([])
    wrapper, program = scratch / "wrapper.cpp", scratch / "program"
    wrapper.write_text(
        wrapper_source(first, source.defines, source.top, parsed, tuned), encoding="utf-8"
    )
    flags = [*FLAGS, *(SANITIZE if source.sanitize else ())]
    plain = not (source.sanitize or source.count)
    ahead = ["-include", f"{ready}.h"] if ready and plain else []
    units = [wrapper, *source.files[1:]]
    before = [f"-I{kernel_directory() / 'counting'}"] if source.count else []
    always = [compiler.command, *before, *options, *flags, "-MD", "-fdiagnostics-color=never", "-c"]
    # The wrapper has ours before the source, which the source's macros are not to reach.
    macros = [f"-D{macro}" for macro in source.defines]
    commands = [
        [*always, *(ahead if unit is wrapper else macros), str(unit), "-o", f"{scratch / str(k)}.o"]
        for k, unit in enumerate(units)
    ]
    objects = [str(scratch / f"{k}.o") for k in range(len(units))]
    linked = [compiler.command, *flags, "-no-pie", *objects, *source.flags, "-o", str(program)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(lambda command: children.run(command, scratch), commands):
            _check(done, first)
    _check(children.run(linked, scratch), first)
    listed = [scratch / f"{k}.d" for k in range(len(units))]
    facts = {
        "own": [str(f) for f in own],
        "signature": parsed.signature.facts(),
        "folders": [str(f) for f in _folders(source, headers)],
        "declarations": parsed.named(),
        "call": call_of(source.top, parsed),
    }
    path = keep(index, program, _used(parsed, source, listed), facts)
    return _program(path, facts, source)


def _check(done: CompletedProcess[str], source: Path) -> None:
    if done.returncode != 0:
        raise CompileError(_first_error(done.stderr, source))


def _options(source: Source, headers: Headers) -> list[str]:
    return [
        f"-std={source.std}",
        *(f"-I{f}" for f in (*_folders(source, headers), kernel_directory())),
        *source.flags,
    ]


def _folders(source: Source, headers: Headers) -> list[Path]:
    """Where headers are looked for: the user's, the vendor's, and Mentor's from the same wheel."""
    own = dict.fromkeys(f.parent for f in source.files)
    return [*source.include, *own, *_vendors(headers)]


def _vendors(headers: Headers) -> list[Path]:
    mentor = headers.directory.parents[1] / "catapult" / "ac_types" / "include"
    return [headers.directory, *([mentor] if headers.pinned and mentor.is_dir() else [])]


def _tuned(source: Source, headers: Headers) -> bool:
    """Whether something may change how the vendor's headers are read, or which."""
    if any(m.startswith(("AP_", "_AP_", "HLS_", "__SYNTH")) for m in source.defines):
        return True
    own = (f for f in _folders(source, headers) if f != headers.directory)
    if any((folder / name).is_file() for folder in own for name in HEADERS):
        return True
    return any(_TUNES.search(f.read_bytes()) for f in source.files)


def _own_files(
    source: Source, parsed: Parsed, compiler: Compiler, headers: Headers
) -> tuple[Path, ...]:
    """The user's files: those that are neither the system's, nor the vendor's, nor ours."""
    others = [Path(f).resolve() for f in system_folders(compiler.command)]
    ours = (kernel_directory(), cache_directory(), *_vendors(headers))
    others += [folder.resolve() for folder in ours]
    found = dict.fromkeys([*source.files, *(Path(f).resolve() for f in parsed.files)])
    return tuple(f for f in found if not any(o in f.parents for o in others))


def _used(parsed: Parsed, source: Source, listed: Sequence[Path]) -> list[str]:
    """Every file that the program was made of, but for what lay beside it while it was made."""
    names = [*parsed.files, *map(str, source.files)]
    for dependencies in listed:
        text = dependencies.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        words = re.split(r"(?<!\\)\s+", text.partition(":")[2])
        names += [w.replace("\\ ", " ") for w in words]
    kept = {os.path.realpath(n) for n in names if Path(n).is_file()}
    return sorted(n for n in kept if "/building-" not in n)


def _first_error(text: str, source: Path) -> str:
    """The compiler's first complaint that is in the user's files, else its first."""
    lines = [line for line in text.splitlines() if "error" in line or "undefined ref" in line]
    user = [line for line in lines if str(source.parent) in line]
    return told((user or lines or text.splitlines() or ["the compiler said nothing"])[0].strip())
