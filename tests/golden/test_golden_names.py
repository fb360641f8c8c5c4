"""Whatever a truth file is called, every tool takes what is emitted of it."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.golden import emit as command
from harness.golden import Case, Group, Truth, dumps
from harness.golden.emit import FORMATS, read
from harness.golden.emit.names import columns_of, stem_of
from harness.golden.record import NUMBERS, columns_for
from harness.types import ApFixed

#: Names that are no identifiers, keywords, the same but for what is cleaned, or nothing at all.
NAMES = [
    *("my-weights", "my_weights", "my weights", "My_Weights", "my__weights", "_my_weights_"),
    *("layer 1", "1st", "42", "signal", "int", "wire", "entity", "module", "class", "begin"),
    *(
        "poids-été",
        "Gewichte_für_ß",
        "重み",
        "ω",
        "...",
        "-",
        "_",
        "$(rm x)",
        "a'b\"c",
        "a;b",
        "%d",
    ),
    *("x" * 200, "tab\there", "line\nfeed", "x.tar", "weights.", "\udcff"),
]
#: Columns of somebody else's answers, which a truth file may call as it likes.
COLUMNS = ["int", "count", "expected ", "Expected", "x_width", "x_word", "1/2", "é", "", "a,b", "ω"]

Files = Callable[[str, str], list[Path]]


@pytest.fixture(scope="module")
def groups(casts: tuple[Group, ...]) -> tuple[Group, ...]:
    """Casts of 1 and 65 bits, and a group of floats whose columns have every bad name."""
    t = ApFixed(12, 6)
    columns = columns_for("convert", [NUMBERS["float"]], t) | dict.fromkeys(COLUMNS, t)
    cases = [Case((0x3F800000 + k,), 64 + k, (), (7,) * len(COLUMNS)) for k in range(5)]
    odd = Group("", "convert", columns, "", tuple(cases))
    short = [
        replace(g, cases=tuple(replace(case, flags=()) for case in g.cases[:9]))
        for g in (casts[0], casts[3], odd)
    ]
    return tuple(replace(group, id=f"{k:04d}") for k, group in enumerate(short))


@pytest.fixture(scope="module")
def folders(groups: tuple[Group, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``NAME/FORMAT`` of every name, through the command; tools get files of all names at once."""
    root = tmp_path_factory.mktemp("names")
    truth = Truth("fixed", "cast", "cast", 0, "", "none", {}, {}, {}, groups)
    plain = [replace(g, witness="", note="") for g in groups]
    for k, name in enumerate(NAMES):
        path = root / f"{name}.json"
        path.write_text(dumps(truth))
        for form in FORMATS:
            chosen = {"rtl": groups[:2], "dat": groups[2:]}.get(form, groups)
            out = root / str(k) / form
            command(path, form, out, [group.id for group in chosen])
            assert read(out) == tuple(plain[int(group.id)] for group in chosen)
    return root


@pytest.fixture(scope="module")
def files(folders: Path) -> Files:
    """The files of a format that end so, of every name."""

    def found(form: str, suffix: str) -> list[Path]:
        paths = [p for k in range(len(NAMES)) for p in (folders / str(k) / form).iterdir()]
        return sorted((p for p in paths if p.name.endswith(suffix)), key=lambda p: p.name)

    return found


def _needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program}; to install it: apt-get install {program}")


def _run(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


def test_file_names_are_plain_and_apart(files: Files) -> None:
    """No two names give a file of the same name, and no shell, tool or disk trips over one."""
    for form in ("mem", "coe", "mif", "csv", "npz", "sv", "vhdl", "cpp"):
        names = [p.name for p in files(form, "") if p.name != "index.json"]
        assert len({name.lower() for name in names}) == len(names) >= 3 * len(NAMES)
        assert all(set(n) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.") for n in names)
        assert max(map(len, names)) < 200


def test_clean_names_stay() -> None:
    """A name that every language takes is left as it is; columns too."""
    assert [stem_of(name) for name in ("fixed_cast", "w1", "a_1_b")] == [
        "fixed_cast",
        "w1",
        "a_1_b",
    ]
    assert columns_of(["a", "b", "expected", "ap_float.h"])["ap_float.h"] == "ap_float_h"
    assert list(columns_of(["x", "X", "x "]).values()) == ["x", "x_2", "x_3"]


def _place(path: Path) -> int:
    """Which group a file holds."""
    match = re.search(r"_(\d{4})(_pkg)?\.", path.name)
    assert match is not None
    return int(match[1])


def _expected(groups: tuple[Group, ...], paths: list[Path]) -> list[list[str]]:
    """The first input and the word expected of every case in these files, as they are printed."""
    return [
        [f"{case.inputs[0]:x}", f"{case.expected:x}"]
        for path in paths
        for case in groups[_place(path)].cases
    ]


def _printed(output: str) -> list[list[str]]:
    return [
        [word.lower().lstrip("0") or "0" for word in line.split()] for line in output.split("\n")
    ][:-1]


def _tops(groups: tuple[Group, ...], packages: list[Path]) -> str:
    """A module for each package, which prints its words, one after the other."""
    return "".join(
        f"module top{k}; import {path.stem}::*; initial begin #{k + 1};\n"
        f"  for (int k = 0; k < COUNT; k++)\n"
        f'    $display("%h %h", {next(iter(groups[_place(path)].sources))}_word(k), '
        "expected_word(k));\nend endmodule\n"
        for k, path in enumerate(packages)
    )


def test_icarus(groups: tuple[Group, ...], files: Files, tmp_path: Path) -> None:
    """Icarus takes every package at once, and each gives its words; `$readmemh` every file."""
    _needs("iverilog", "vvp")
    packages = files("sv", ".sv")
    (tmp_path / "top.sv").write_text(_tops(groups, packages))
    _run("iverilog", "-g2012", "-o", "top.vvp", *packages, "top.sv", cwd=tmp_path)
    printed = _printed(_run("vvp", "-n", "top.vvp", cwd=tmp_path))
    assert printed == _expected(groups, packages)
    words = files("mem", ".expected.mem")
    reads = "".join(
        f'  $readmemh("{path}", m); for (int k = 0; k < {len(groups[_place(path)].cases)}; k++) '
        '$display("%h", m[k]);\n'
        for path in words
    )
    (tmp_path / "mem.sv").write_text(
        f"module mem; reg [64:0] m[0:63];\ninitial begin\n{reads}end endmodule\n"
    )
    _run("iverilog", "-g2012", "-o", "mem.vvp", "mem.sv", cwd=tmp_path)
    printed = _printed(_run("vvp", "-n", "mem.vvp", cwd=tmp_path))
    assert [row for row in printed if "arning" not in str(row)] == [
        row[1:] for row in _expected(groups, words)
    ]


def test_verilator(groups: tuple[Group, ...], files: Files, tmp_path: Path) -> None:
    """Verilator takes every package at once, and has nothing to warn of."""
    _needs("verilator")
    packages = files("sv", ".sv")
    (tmp_path / "top.sv").write_text(_tops(groups, packages))
    options = ["--lint-only", "--timing", "-Wall", "-Wno-DECLFILENAME", "-Wno-MULTITOP"]
    _run("verilator", *options, *packages, "top.sv", cwd=tmp_path)


def test_ghdl(groups: tuple[Group, ...], files: Files, tmp_path: Path) -> None:
    """GHDL takes every package into one library; the text files lie in one folder, apart."""
    _needs("ghdl")
    packages = files("vhdl", ".vhd")
    for path in files("vhdl", ".txt"):
        shutil.copy(path, tmp_path)
    (tmp_path / "top.vhd").write_text("".join(_processes(groups, packages)))
    _run("ghdl", "-a", "--std=08", *packages, "top.vhd", cwd=tmp_path)
    _run("ghdl", "-e", "--std=08", "top", cwd=tmp_path)
    printed = _printed(_run("ghdl", "-r", "--std=08", "top", cwd=tmp_path))
    assert printed == _expected(groups, packages)


def _processes(groups: tuple[Group, ...], packages: list[Path]) -> Iterator[str]:
    """An entity with a process for each package."""
    yield "library ieee; use ieee.std_logic_1164.all; use std.textio.all;\nentity top is end;\n"
    yield "architecture test of top is begin\n"
    for k, path in enumerate(packages):
        unit, column = f"work.{path.stem}", next(iter(groups[_place(path)].sources))
        yield (
            f"process file f : text; variable l : line;\n"
            f"variable a : {unit}.{column}_word; variable e : {unit}.expected_word; begin\n"
            f"  wait for {k + 1} ns; file_open(f, {unit}.FILE_NAME);\n"
            f"  for k in 1 to {unit}.COUNT loop readline(f, l); hread(l, a); hread(l, e);\n"
            "    write(output, to_hstring(a) & ' ' & to_hstring(e) & LF);\n"
            "  end loop; wait;\nend process;\n"
        )
    yield "end architecture;\n"


def test_gxx(groups: tuple[Group, ...], files: Files, tmp_path: Path) -> None:
    """g++ takes every header at once, without a warning, and each gives its words."""
    _needs("g++")
    headers = files("cpp", ".h")
    includes = "".join(f'#include "{path}"\n' for path in headers)
    prints = "".join(
        f"  for (int k = 0; k < {path.stem}::count; k++) {{\n"
        f"    put({path.stem}::{next(iter(groups[_place(path)].sources))}[k], ' ');\n"
        f"    put({path.stem}::expected[k], '\\n');\n  }}\n"
        for path in headers
    )
    (tmp_path / "main.cpp").write_text(
        f"#include <cstdio>\n#include <cerrno>\n{includes}"
        "typedef unsigned long long u;\n"
        'void put(std::uint64_t w, char end) { std::printf("%llx%c", u(w), end); }\n'
        "void put(const std::uint64_t (&w)[2], char end) {\n"
        '  if (w[1]) std::printf("%llx%016llx%c", u(w[1]), u(w[0]), end);\n'
        "  else put(w[0], end);\n}\n"
        f"int main() {{\n{prints}}}\n"
    )
    _run("g++", "-Wall", "-Wextra", "-Werror", "-o", "main", "main.cpp", cwd=tmp_path)
    printed = _printed(_run(tmp_path / "main", cwd=tmp_path))
    assert printed == _expected(groups, headers)


def test_rtl_is_the_same_for_every_name(folders: Path) -> None:
    """What testbenches read is named by place: test_golden_rtl compiles all that there is."""
    content = [
        {path.name: path.read_bytes() for path in (folders / str(k) / "rtl").iterdir()}
        for k in range(len(NAMES))
    ]
    assert all(each == content[0] for each in content[1:])
    assert "ap_quantize_groups.sv" in content[0]
