"""The RTL in real simulators: it passes, and every fault in files or design makes it fail."""

import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness import ApFixed, cast_codes
from harness.golden import Case, Group, Truth, golden_directory
from harness.golden.emit import emit
from harness.golden.plan import modes
from harness.golden.record import columns_for, values, word_of
from harness.golden.simulate import SIMULATORS, Simulator, build, run, simulate
from harness.types import ApInt

RTL = golden_directory() / "rtl"


def _installed(name: str) -> Simulator:
    simulator = SIMULATORS[name]
    if simulator.missing:
        pytest.skip(f"{name} needs {simulator.missing}; to install it: {simulator.remedy}")
    return simulator


@dataclass
class Bench:
    """A simulator with its testbench compiled, and the vectors it was compiled for."""

    simulator: Simulator
    vectors: Path
    count: int
    work: Path

    def replay(self, vectors: Path) -> list[str]:
        """What it says is wrong with vectors of the same groups."""
        return run(self.simulator, vectors, self.count, self.work)


@pytest.fixture(scope="module", params=list(SIMULATORS))
def bench(
    request: pytest.FixtureRequest,
    casts: tuple[Group, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Bench:
    """Each simulator, compiled once."""
    simulator = _installed(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    emitted = emit(casts, "rtl", "fixed", folder / "vectors")
    work = folder / "work"
    work.mkdir()
    status, output = build(simulator, folder / "vectors", work)
    assert status == 0, output
    return Bench(simulator, folder / "vectors", emitted.vectors, work)


def _edited(path: Path, edit: Callable[[str], str]) -> None:
    text = path.read_text()
    assert edit(text) != text
    path.write_text(edit(text))


def _flipped(text: str) -> str:
    """One bit of the last word, flipped."""
    body, last = text[:-2], text[-2]
    return f"{body}{int(last, 16) ^ 1:x}\n"


def _above(text: str) -> str:
    """The highest bit of the first digit set, which is above a word of 1, 65 or 69 bits."""
    return f"{int(text[0], 16) ^ 8:x}{text[1:]}"


def _with_x(text: str) -> str:
    return f"{text[:-2]}x\n"


def _without_last(text: str) -> str:
    return text[: text[:-1].rindex("\n") + 1]


FAULTS: dict[str, Callable[[Path], None]] = {
    "a bit of an expected word": lambda d: _edited(d / "0002.expected.mem", _flipped),
    "an X in an expected word": lambda d: _edited(d / "0002.expected.mem", _with_x),
    "an X in an input": lambda d: _edited(d / "0002.a.mem", _with_x),
    "no expected file": lambda d: (d / "0002.expected.mem").unlink(),
    "no input file": lambda d: (d / "0001.a.mem").unlink(),
    "an empty file": lambda d: (d / "0002.expected.mem").write_text(""),
    "a word less": lambda d: _edited(d / "0003.expected.mem", _without_last),
    "a word more": lambda d: _edited(d / "0003.a.mem", lambda s: s + s[-18:]),
    "no last end of line": lambda d: _edited(d / "0002.a.mem", lambda s: s[:-1]),
    "a bit above an expected word": lambda d: _edited(d / "0000.expected.mem", _above),
    "a bit above an input": lambda d: _edited(d / "0003.a.mem", _above),
    "a digit less": lambda d: _edited(d / "0003.a.mem", lambda s: s[1:]),
    "a blank line": lambda d: _edited(d / "0002.a.mem", lambda s: "\n" + s),
    "a comment": lambda d: _edited(d / "0002.a.mem", lambda s: "// words\n" + s),
}


def test_passes(bench: Bench) -> None:
    """As emitted, every vector passes."""
    assert bench.replay(bench.vectors) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_fails(bench: Bench, fault: str, tmp_path: Path) -> None:
    """Whatever is wrong with a file, the simulator does not pass."""
    spoiled = tmp_path / "vectors"
    shutil.copytree(bench.vectors, spoiled)
    FAULTS[fault](spoiled)
    # VHDL's textio reads a last line with or without its end; no word is lost.
    harmless = bench.simulator.name == "ghdl" and fault == "no last end of line"
    assert bool(bench.replay(spoiled)) != harmless


def test_fewer_vectors_than_promised(bench: Bench) -> None:
    """A run that compares less than it should is no success, even if it says PASS."""
    assert run(bench.simulator, bench.vectors, bench.count + 1, bench.work)


@pytest.mark.parametrize("name", SIMULATORS)
def test_an_empty_run(name: str, casts: tuple[Group, ...], tmp_path: Path) -> None:
    """No vectors are no success."""
    simulator = _installed(name)
    emit(casts[:1], "rtl", "fixed", tmp_path / "vectors")
    for language in ("sv", "vhd"):
        table = tmp_path / "vectors" / f"ap_quantize_groups.{language}"
        for old, new in zip(*(_counts(n)[language] for n in (len(casts[0].cases), 0)), strict=True):
            _edited(table, lambda s, old=old, new=new: s.replace(old, new))
    for column in ("a", "expected"):
        (tmp_path / "vectors" / f"0000.{column}.mem").write_text("")
    (tmp_path / "work").mkdir()
    found = simulate(simulator, tmp_path / "vectors", 0, tmp_path / "work")
    assert not found.passed


def _counts(n: int) -> dict[str, tuple[str, str]]:
    """How the table of groups says that there are ``n`` vectors, all of them in one group."""
    return {
        "sv": (f"VECTORS = {n};", f"32'h{n:08x}"),
        "vhd": (f"VECTORS : natural := {n};", f"({n},"),
    }


@pytest.mark.parametrize("name", ["icarus", "ghdl"])
def test_any_types(name: str, tmp_path: Path) -> None:
    """Types beyond the committed ones, those that the C++ headers abort on among them."""
    simulator, draw = _installed(name), random.Random(7)
    groups = []
    for place in range(120):
        source = ApFixed(draw.randint(1, 70), draw.randint(-40, 80), draw.random() < 0.6)
        signed, rounding, overflow, n_class = draw.choice(list(modes()))
        width = draw.randint(1, 70)
        n = (0, 1, width // 2, width)[n_class]
        target = ApFixed(width, draw.randint(-40, 80), signed, rounding, overflow, n)
        if place % 6 == 0:  # an integer: from integers, no integer bits, or some
            target = ApInt(width, signed)
            source = ApFixed(source.width, draw.choice((0, 3, source.width)), source.signed)
        if place % 12 in (0, 1):
            source = ApInt(source.width, source.signed)
        words = [draw.getrandbits(source.width) for _ in range(30)] + [0, (1 << source.width) - 1]
        codes = cast_codes(values(words, source), source, target).tolist()
        cases = tuple(
            Case((word,), word_of(code, target)) for word, code in zip(words, codes, strict=True)
        )
        columns = columns_for("cast", [source], target)
        groups.append(Group(f"{place:04d}", "cast", columns, "", cases))
    emitted = emit(groups, "rtl", "any", tmp_path / "vectors")
    (tmp_path / "work").mkdir()
    found = simulate(simulator, tmp_path / "vectors", emitted.vectors, tmp_path / "work")
    assert found.passed, found.output


MUTANTS = {
    "sv": (
        ("guard && (sticky || negative_source)", "guard && (sticky || !negative_source)"),
        ("guard && (sticky || floor[0])", "guard && sticky"),
        ("code[W-1] ^ floor[W]", "code[W-1] ^ rounded[W]"),
        ("W == 1 ? ONE : LOWEST | ONE", "W == 1 ? ~ONE : LOWEST | ONE"),
        ("SHIFT > SRC_W + 1 ? SRC_W + 1", "SHIFT > SRC_W + 1 ? SRC_W - 1"),
        ("(guard || sticky) && SRC_I != 0", "(guard || sticky)"),
        ("localparam int INTEGER = 9", "localparam int INTEGER = 8"),
    ),
    "vhd": (
        ("when 1      => return guard and (sticky or negative);", "when 1 => return guard;"),
        ("when 4      => return guard and (sticky or odd);", "when 4 => return guard and sticky;"),
        ("wrapped(code, negative, floor(W))", "wrapped(code, negative, rounded(W))"),
        ("code(0) := '1';", "code(0) := not code(0);"),
        ("if SRC_I = 0 then", "if SRC_I = 1 then"),
        ("when 9 =>", "when 8 =>"),
    ),
}


@pytest.mark.parametrize(("name", "language"), [("icarus", "sv"), ("ghdl", "vhd")])
def test_a_wrong_design_fails(
    name: str, language: str, truths: dict[str, Truth], tmp_path: Path
) -> None:
    """One wrong tie, sign or shift in the design, and the committed vectors find it."""
    simulator = _installed(name)
    groups = [replace(g, cases=g.cases[:100]) for g in truths["fixed/cast.json"].groups]
    emitted = emit(groups, "rtl", "fixed", tmp_path / "vectors")
    for k, (right, wrong) in enumerate(MUTANTS[language]):
        rtl, work = tmp_path / f"rtl{k}", tmp_path / f"work{k}"
        shutil.copytree(RTL, rtl)
        work.mkdir()
        _edited(rtl / f"ap_quantize.{language}", lambda s, r=right, w=wrong: s.replace(r, w))
        found = simulate(simulator, tmp_path / "vectors", emitted.vectors, work, rtl)
        assert not found.passed, right
        assert any("FAIL" in line for line in found.output), found.output


def test_systemverilog_synthesises() -> None:
    """Yosys makes gates of the SystemVerilog, and no latch among them."""
    if shutil.which("yosys") is None:
        pytest.skip("no yosys; to install it: apt-get install yosys")
    script = (
        f"read_verilog -sv {RTL / 'ap_quantize.sv'}; "
        "chparam -set SRC_W 20 -set SRC_I 8 -set Q 4 -set O 4 -set N 2 ap_quantize; "
        "synth -top ap_quantize; select -assert-none t:$_DLATCH_*; select -assert-min 20 t:*; stat"
    )
    subprocess.run(["yosys", "-q", "-p", script], check=True, capture_output=True)


def test_vhdl_synthesises() -> None:
    """GHDL's synthesis takes the VHDL."""
    _installed("ghdl")
    command = ["ghdl", "--synth", "--std=08", "-gSRC_W=20", "-gO=4", "-gQ=4"]
    done = subprocess.run(
        [*command, str(RTL / "ap_quantize.vhd"), "-e", "ap_quantize"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "latch" not in done.stdout.lower()
