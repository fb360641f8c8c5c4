"""The vendor's headers, compiled once for libclang and for g++: most of what a source costs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness import children
from harness.cosim.cxx.frontend import clang, system_arguments
from harness.cosim.errors import CompileError
from harness.oracle.build import Compiler

__all__ = ["HEADERS", "prelude"]

#: What nearly every source includes.
HEADERS = ("ap_fixed.h", "ap_int.h", "hls_stream.h")


def prelude(
    folder: Path, vendor: Path, settings: Sequence[str], flags: Sequence[str], compiler: Compiler
) -> Path | None:
    """Compiled headers: the path without its endings, ``.h`` for g++ and ``.pch`` for libclang.

    Args:
        folder: where it is kept.
        vendor: the headers' folder.
        settings: of both compilers: the standard, macros.
        flags: of g++.
        compiler: g++.

    Returns:
        ``None`` if a compiler refuses: then each source is read with the headers.
    """
    found = [vendor / name for name in HEADERS if (vendor / name).is_file()]
    # libclang takes a header that was touched for another one.
    state = [(str(path), path.stat().st_mtime_ns) for path in sorted(vendor.glob("**/*.h"))]
    key = repr((state, compiler, list(settings), list(flags)))
    stem = folder / f"prelude-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    header, pch, gch = (Path(f"{stem}{end}") for end in (".h", ".pch", ".h.gch"))
    if pch.is_file() and gch.is_file():
        return stem
    options = [*settings, f"-I{vendor}"]
    with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as scratch:
        text = Path(scratch, header.name)
        text.write_text("".join(f'#include "{path.name}"\n' for path in found), encoding="utf-8")
        os.utime(text, (0, 0))  # the same for whoever writes it too
        text.replace(header)
        with contextlib.suppress(CompileError):
            _for_clang(header, Path(scratch, "pch"), options, compiler)
            _for_gcc(header, Path(scratch, "gch"), [*options, *flags], compiler)
            Path(scratch, "gch").replace(gch)
            Path(scratch, "pch").replace(pch)
            return stem
    return None


def _for_clang(header: Path, out: Path, options: Sequence[str], compiler: Compiler) -> None:
    cindex = clang()
    arguments = ["-x", "c++-header", *options, *system_arguments(compiler.command)]
    flag = cindex.TranslationUnit.PARSE_INCOMPLETE
    unit = cindex.Index.create().parse(str(header), args=arguments, options=flag)
    if any(d.severity >= cindex.Diagnostic.Error for d in unit.diagnostics):
        raise CompileError(f"libclang refuses {header}")
    unit.save(str(out))


def _for_gcc(header: Path, out: Path, options: Sequence[str], compiler: Compiler) -> None:
    command = [compiler.command, *options, "-x", "c++-header", str(header), "-o", str(out)]
    if children.run(command, out.parent).returncode != 0:
        raise CompileError(f"{compiler.command} refuses {header}")
