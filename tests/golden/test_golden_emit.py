"""Every format is written and read back, by us and by the tools it is made for."""

import ctypes
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.golden import Case, GoldenError, Group, Truth
from harness.golden.emit import FORMATS, INDEX, emit, read
from harness.golden.record import NUMBERS, columns_for
from harness.types import ApFixed


def plain(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Groups as a folder keeps them: words without flags."""
    return tuple(
        replace(g, witness="", note="", cases=tuple(replace(c, flags=()) for c in g.cases))
        for g in groups
    )


def one_of_each(truths: dict[str, Truth]) -> tuple[Group, ...]:
    """A short group of every operation, of every file."""
    found = {
        (name, g.operation): replace(g, cases=g.cases[:30])
        for name, truth in truths.items()
        for g in truth.groups
    }
    return tuple(replace(g, id=f"{k:04d}") for k, g in enumerate(found.values()))


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("dat", "rtl")])
def test_back_again(name: str, truths: dict[str, Truth], tmp_path: Path) -> None:
    """What was written is read back equal: every operation, family and width."""
    groups = one_of_each(truths)
    emitted = emit(groups, name, "some", tmp_path / "out")
    assert emitted.vectors == sum(len(g.cases) for g in groups)
    assert read(tmp_path / "out") == plain(groups)


def test_rtl_back_again(casts: tuple[Group, ...], tmp_path: Path) -> None:
    """So is what the testbenches read."""
    emit(casts, "rtl", "some", tmp_path / "out")
    assert read(tmp_path / "out") == plain(casts)


def _group(t: object, words: list[int], number: str = "float", **more: object) -> Group:
    columns = columns_for("convert", [NUMBERS[number]], t)
    cases = tuple(Case((0x3F800000 + k,), word) for k, word in enumerate(words))
    return Group("0000", "convert", columns, "", cases, **more)  # type: ignore[arg-type]


def test_dat_is_read_as_hls4ml_reads_it(tmp_path: Path) -> None:
    """A sample a line, each token by atof into a float, gives the exact values back."""
    t = ApFixed(16, 6)
    group = _group(t, [0x0147, 0x8000, 0x0001, 0x7FFF, 0xFFFF, 0x0000], shape=(2, 3))
    emit((group,), "dat", "fixed", tmp_path / "out")
    assert read(tmp_path / "out") == (group,)
    folder = tmp_path / "out" / "fixed_0000" / "tb_data"
    lines = (folder / "tb_output_predictions.dat").read_text().splitlines()
    assert [len(line.split(" ")) for line in lines] == [3, 3]
    atof = ctypes.CDLL(None).atof
    atof.restype = ctypes.c_double
    tokens = [token for line in lines for token in line.split(" ")]
    values = np.array([atof(token.encode()) for token in tokens], np.float32)
    assert (values * 1024).tolist() == [0x147, -0x8000, 1, 0x7FFF, -1, 0]


def test_dat_of_zeros_keeps_their_signs(tmp_path: Path) -> None:
    """-0.0 is a word of its own in a float, and stays one."""
    columns = columns_for("convert", [NUMBERS["double"]], ApFixed(8, 4))
    cases = (Case((1 << 63,), 0), Case((0,), 0), Case((0x3FF << 52,), 16))
    group = Group("0000", "convert", columns, "", cases)
    emit((group,), "dat", "fixed", tmp_path / "out")
    assert read(tmp_path / "out") == (group,)


@pytest.mark.parametrize(
    ("name", "group", "reason"),
    [
        ("dat", _group(ApFixed(32, 6), [0x7FFFFFFF]), "C\\+\\+ float"),
        ("dat", _group(ApFixed(8, 300), [1]), "C\\+\\+ float"),
        ("dat", replace(_group(ApFixed(8, 4), [1]), cases=(Case((0x7F800000,), 1),)), "inf"),
        ("dat", replace(_group(ApFixed(8, 4), [1]), cases=(Case((0x7FC00000,), 1),)), "nan"),
        ("rtl", _group(ApFixed(8, 4), [1]), "casts between fixed-point types"),
        ("mem", _group(ApFixed(8, 4), []), "no vectors"),
        ("hex", _group(ApFixed(8, 4), [1]), "allowed: mem, coe"),
    ],
)
def test_refusals(name: str, group: Group, reason: str, tmp_path: Path) -> None:
    """What a format cannot hold is refused, and nothing is written."""
    with pytest.raises(ValueError, match=reason):
        emit((group,), name, "x", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_folders(casts: tuple[Group, ...], tmp_path: Path) -> None:
    """A folder of something else is left alone; one written before is written anew."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(GoldenError, match="something else"):
        emit(casts, "mem", "x", out)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    (out / "thesis.txt").unlink()
    emit(casts, "mem", "x", out)
    emit(casts[:1], "csv", "x", out)
    assert sorted(path.name for path in out.iterdir()) == [INDEX, "x_0000.csv"]
    (tmp_path / "file").write_text("")
    with pytest.raises(GoldenError, match="no folder"):
        emit(casts, "mem", "x", tmp_path / "file")


def test_an_index_of_elsewhere(casts: tuple[Group, ...], tmp_path: Path) -> None:
    """An index cannot make files outside of its folder be read or taken away."""
    emit(casts[:1], "csv", "x", tmp_path / "out")
    text = (tmp_path / "out" / INDEX).read_text()
    (tmp_path / "out" / INDEX).write_text(text.replace('"x_0000.csv"', '"../mine.csv"'))
    (tmp_path / "mine.csv").write_text("mine")
    for act in (lambda: read(tmp_path / "out"), lambda: emit(casts, "csv", "x", tmp_path / "out")):
        with pytest.raises(GoldenError, match="outside the folder"):
            act()
    assert (tmp_path / "mine.csv").read_text() == "mine"


def _last_digit(data: bytes) -> bytes:
    """Another hexadecimal digit, or another byte, near the end."""
    at = max(k for k, byte in enumerate(data) if chr(byte) in "0123456789abcdef")
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


SPOILS: dict[str, Callable[[Path], object]] = {
    "a digit": lambda p: p.write_bytes(_last_digit(p.read_bytes())),
    "cut off": lambda p: p.write_bytes(p.read_bytes()[: len(p.read_bytes()) // 2]),
    "empty": lambda p: p.write_bytes(b""),
    "longer": lambda p: p.write_bytes(p.read_bytes() + b"0\n"),
    "gone": lambda p: p.unlink(),
    "no ASCII": lambda p: p.write_bytes(p.read_bytes()[:-4] + b"\xff" + p.read_bytes()[-4:]),
}


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", FORMATS)
def test_spoiled_files(name: str, spoil: str, casts: tuple[Group, ...], tmp_path: Path) -> None:
    """A file that is not as it was written is refused by its name, whatever was done to it."""
    groups = (_group(ApFixed(16, 6), list(range(60))),) if name == "dat" else casts[1:3]
    emit(groups, name, "some", tmp_path / "out")
    path = max(
        (p for p in (tmp_path / "out").rglob("*") if p.is_file() and p.name != INDEX),
        key=lambda p: ("tb_output" in p.name, "expected" in p.name, p.suffix == ".txt", p.name),
    )
    SPOILS[spoil](path)
    with pytest.raises(GoldenError, match=path.name) as caught:
        read(tmp_path / "out")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mem", "coe", "mif", "csv", "sv", "cpp", "vhdl"])
def test_the_line_of_a_bad_word(name: str, casts: tuple[Group, ...], tmp_path: Path) -> None:
    """In a text file the line of the bad word is told."""
    emit(casts[2:3], name, "some", tmp_path / "out")
    paths = [p for p in (tmp_path / "out").iterdir() if p.name != INDEX]
    path = next((p for p in paths if p.suffix == ".txt"), sorted(paths)[0])
    lines = path.read_text().split("\n")
    at = len(lines) // 2
    lines[at] = "zz" + lines[at][2:]
    path.write_text("\n".join(lines))
    with pytest.raises(GoldenError) as caught:
        read(tmp_path / "out")
    assert caught.value.line == at + 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "mem"}', "{"])
def test_a_bad_index(text: str, tmp_path: Path) -> None:
    """An index that is none is refused in one line."""
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(GoldenError, match=INDEX):
        read(tmp_path)


def test_cpp_header_compiles(truths: dict[str, Truth], tmp_path: Path) -> None:
    """g++ takes the headers, and prints the very words."""
    groups = tuple(g for g in one_of_each(truths) if g.operation in ("cast", "convert", "+"))
    emit(groups, "cpp", "some", tmp_path / "out")
    stems = [
        entry["stem"] for entry in json.loads((tmp_path / "out" / INDEX).read_text())["groups"]
    ]
    includes = "".join(f'#include "{stem}.h"\n' for stem in stems)
    prints = "".join(
        f'  for (auto& w : {s}::expected) std::printf("%016llx\\n", (unsigned long long)low(w));\n'
        for s in stems
    )
    low = (
        "template <class T> std::uint64_t low(const T& w) {\n"
        "  if constexpr (std::is_array_v<T>) return w[0]; else return w;\n}\n"
    )
    head = f"#include <cstdio>\n#include <type_traits>\n{includes}{low}"
    (tmp_path / "main.cpp").write_text(f"{head}int main() {{\n{prints}}}\n")
    options = ["-std=c++17", "-Wall", "-Werror", f"-I{tmp_path / 'out'}"]
    subprocess.run(["g++", *options, "-o", "main", "main.cpp"], cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True)
    expected = [w & (1 << 64) - 1 for g in groups for w in g.words("expected")]
    assert [int(line, 16) for line in done.stdout.split()] == expected


def test_systemverilog_package_compiles(casts: tuple[Group, ...], tmp_path: Path) -> None:
    """Verilator takes the packages, and the words in them are those of the vectors."""
    if shutil.which("verilator") is None:
        pytest.skip("no verilator; to install it: apt-get install verilator")
    emit(casts[2:], "sv", "some", tmp_path / "out")
    packages = sorted(str(p) for p in (tmp_path / "out").glob("*.sv"))
    stem = f"some_{casts[3].id}_pkg"
    (tmp_path / "top.sv").write_text(
        f"module top; import {stem}::*; initial begin\n"
        '  for (int k = 0; k < COUNT; k++) $display("%h %h", A[k], EXPECTED[k]);\n'
        "  $finish; end endmodule\n"
    )
    command = ["verilator", "--binary", "-Wall", "-Wno-DECLFILENAME", "--top-module", "top"]
    subprocess.run([*command, *packages, "top.sv"], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        [str(tmp_path / "obj_dir" / "Vtop")], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines() if line[:1] != "-"]
    assert [(int(a, 16), int(y, 16)) for a, y in rows] == [case.words for case in casts[3].cases]


def test_vhdl_package_reads(casts: tuple[Group, ...], tmp_path: Path) -> None:
    """GHDL takes the package, and hread reads the words of the text file."""
    if shutil.which("ghdl") is None:
        pytest.skip("no ghdl; to install it: apt-get install ghdl")
    out = tmp_path / "out"
    emit(casts[3:], "vhdl", "some", out)
    stem = f"some_{casts[3].id}"
    (out / "top.vhd").write_text(
        f"library ieee; use ieee.std_logic_1164.all; use std.textio.all; use work.{stem}_pkg.all;\n"
        "entity top is end entity;\narchitecture test of top is begin process\n"
        "  file f : text open read_mode is FILE_NAME;\n"
        "  variable l : line; variable a : a_word; variable e : expected_word;\n"
        "begin\n  for k in 1 to COUNT loop\n"
        "    readline(f, l); hread(l, a); hread(l, e);\n"
        "    write(output, to_hstring(a) & ' ' & to_hstring(e) & LF);\n"
        "  end loop;\n  wait;\nend process; end architecture;\n"
    )
    for step in (["-a", "--std=08", f"{stem}_pkg.vhd", "top.vhd"], ["-e", "--std=08", "top"]):
        subprocess.run(["ghdl", *step], cwd=out, check=True, capture_output=True)
    done = subprocess.run(
        ["ghdl", "-r", "--std=08", "top"], cwd=out, capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [(int(a, 16), int(y, 16)) for a, y in rows] == [case.words for case in casts[3].cases]
