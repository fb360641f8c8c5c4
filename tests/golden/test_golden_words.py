"""Bare files of words: what is read, and that nothing wrong with one goes unnoticed."""

from pathlib import Path

import numpy as np
import pytest

from harness.golden import GoldenError, dumps, loads, replay
from harness.golden.answer import answered, kernel_of
from harness.golden.made import operated, worded
from harness.golden.operators import operator
from harness.golden.record import NUMBERS, OPERATIONS, word_of
from harness.golden.replay import replay_words
from harness.golden.stream import Stream
from harness.golden.words import READERS, read
from harness.oracle import Oracle
from harness.quantize import cast_codes, compute_codes
from harness.types import FORMATS, ApFixed, ApInt, MiniFloat, Operation, result_type

T = ApFixed(12, 6)
WORDS = [0x147, 0xFFF, 0x000, 0x800]
COE = "memory_initialization_radix={};\nmemory_initialization_vector={};\n"
MIF = "DEPTH = {};\nWIDTH = 12;\nADDRESS_RADIX = {};\nDATA_RADIX = {};\nCONTENT BEGIN\n{}\nEND;\n"

GOOD = {
    "zero-padded.mem": "147\nfff\n000\n800\n",
    "short words.mem": "147\nFFF\n0\n800\n",
    "several a line.hex": "147 fff // two\n/* more\n lines */ 0_00\t800",
    "addresses.mem": "@0 147 fff\n@2\n000 800\n",
    "windows.mem": "147\r\nfff\r\n000\r\n800\r\n",
    "plain.coe": COE.format(16, "147,fff,000,800"),
    "spaces.coe": "; made by hand\n;\n" + COE.format(16, "\n147 fff\n000\n800\n"),
    "binary.coe": COE.format(2, "101000111,111111111111,0,100000000000"),
    "decimal.coe": COE.format(10, "327, -1, 0, -2048"),
    "hex.mif": MIF.format(4, "HEX", "HEX", "0 : 147;\n1 : fff;\n2 : 000;\n3 : 800;"),
    "any order.mif": MIF.format(4, "UNS", "UNS", "3 : 2048;\n[0..1] : 327 4095; 2:0;"),
    "octal.mif": "-- words\n" + MIF.format(4, "OCT", "OCT", "0 : 507 7777 0 4000; % all %"),
    "signed.mif": MIF.format(4, "BIN", "DEC", "0 : 327 -1;\n10 : 0 -2048;"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_read(name: str, tmp_path: Path) -> None:
    """Every way of tools and hands to write the same four words, and the line of each."""
    path = tmp_path / name
    path.write_bytes(GOOD[name].encode())
    found = read(path, T)
    assert found.words == WORDS
    lines = GOOD[name].split("\n")
    assert len(found.lines) == 4
    assert all(lines[n - 1].strip() for n in found.lines)


@pytest.mark.parametrize("width", [1, 7, 64, 65, 200, 1024])
def test_any_width(width: int, tmp_path: Path) -> None:
    """Words of any width, in each kind of file."""
    t, most = ApInt(width), (1 << width) - 1
    words = [most, 0, 1 << width - 1, 1]
    (tmp_path / "w.mem").write_text("".join(f"{w:x}\n" for w in words))
    (tmp_path / "w.coe").write_text(COE.format(10, ", ".join(map(str, words))))
    lines = "".join(f"{k}:{w:b};\n" for k, w in enumerate(words))
    text = MIF.format(4, "HEX", "BIN", lines).replace("WIDTH = 12", f"WIDTH = {width}")
    (tmp_path / "w.mif").write_text(text)
    for name in ("w.mem", "w.coe", "w.mif"):
        assert read(tmp_path / name, t).words == words


ARRAYS = {
    "codes": np.array([[0x147, -1], [0, -0x800]], np.int16),
    "words": np.array(WORDS, np.uint16),
    "wide codes": np.array([0x147, -1, 0, -0x800], np.int64),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str, tmp_path: Path) -> None:
    """Signed integers are codes, unsigned ones words, in C order."""
    np.save(tmp_path / "a.npy", ARRAYS[name])
    assert read(tmp_path / "a.npy", T).words == WORDS


def test_arrays_of_limbs(tmp_path: Path) -> None:
    """Beyond 64 bits a word is a row of 64-bit limbs, the lowest first."""
    np.save(tmp_path / "a.npy", np.array([[5, 1], [2**64 - 1, 0]], np.uint64))
    assert read(tmp_path / "a.npy", ApFixed(65, 9)).words == [(1 << 64) + 5, 2**64 - 1]
    with pytest.raises(GoldenError, match=r"element 2, 18446744073709551615, is no word of"):
        read(tmp_path / "a.npy", ApFixed(16, 6))


BAD = {
    "wide.mem": ("147\n1000\n", 2, "1000 is too wide for ap_fixed<12,6>; allowed: at most 3 hexa"),
    "unknown.mem": ("147\nxff\n", 2, "'xff' is no word of .* hexadecimal digits, and no X or Z"),
    "z.hex": ("147\n\nfzf\n", 3, "no X or Z"),
    "sign.mem": ("-1\n", 1, "'-1' is no word"),
    "prefix.mem": ("0x14\n", 1, "'0x14' is no word"),
    "text.mem": ("147\nfoo\n", 2, "'foo' is no word of .*; allowed: hexadecimal digits"),
    "hole.mem": ("147\n@5 fff\n", 2, "address 5 does not follow: 1 is next"),
    "intel.hex": (":0300300002337A1E\n", 1, "Intel HEX records are not read"),
    "cut.mem": ("147\nfff\n0", 3, "shorter than others and has no end: truncated"),
    "empty.mem": ("// nothing\n", None, "holds no words"),
    "accent.mem": ("147\né\n", 2, "no ASCII"),
    "radix.coe": (COE.format(8, "147"), 1, "radix 8 is unknown; allowed: 2, 10, 16"),
    "digit.coe": (COE.format(2, "0,\n12"), 3, "'12' is no word of .*; allowed: binary digits"),
    "far.coe": (COE.format(10, "4096"), 2, "4096 is too wide for ap_fixed<12,6>; allowed: 12 bits"),
    "low.coe": (COE.format(10, "-2049"), 2, "-2049 is too wide"),
    "cut.coe": (COE.format(16, "147,")[:-2], 2, "no ; at its end: truncated"),
    "more.coe": (COE.format(16, "147") + "1\n", 3, "'1' stands after ;"),
    "no vector.coe": ("memory_initialization_radix=16;\n", 1, "must be memory_initialization_vec"),
    "width.mif": (MIF.format(1, "HEX", "HEX", "").replace("12", "13"), 2, "WIDTH is 13, and ap_"),
    "short.mif": (MIF.format(3, "HEX", "HEX", "0 : 1 2;"), 7, "DEPTH is 3, and address 2 has no"),
    "first.mif": (MIF.format(2, "HEX", "HEX", "1 : 1;"), 7, "address 0 has no word"),
    "long.mif": (MIF.format(1, "HEX", "HEX", "0 : 1;\n1 : 2;"), 7, "below the DEPTH 1"),
    "twice.mif": (MIF.format(2, "HEX", "HEX", "0 : 1;\n0 : 2;"), 7, "address 0 has a word already"),
    "radix.mif": (MIF.format(1, "HEX", "ROM", ""), 4, "DATA_RADIX ROM is unknown; allowed: HEX"),
    "cut.mif": (MIF.format(1, "HEX", "HEX", "0 : 1;")[:-6], 6, "no END: truncated"),
    "line.mif": (MIF.format(1, "HEX", "HEX", "0 = 1;"), 6, "no line of the form"),
    "no depth.mif": ("WIDTH = 12;\nCONTENT BEGIN\n0:1;\nEND;\n", 2, "is no DEPTH"),
    "words.txt": ("147\n", None, r"is no file of bare words; allowed: .mem .hex .coe .mif .npy"),
    "no array.npy": ("147\n", None, "is no .npy of numbers"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name: str, tmp_path: Path) -> None:
    """A word too wide or unknown, a wrong radix, a count that is another: file, line, why."""
    text, line, reason = BAD[name]
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(GoldenError, match=reason) as caught:
        read(path, T)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.array([1, 2048]), "element 1, 2048, is no word of .*; allowed: -2048 to 2047"),
        (np.array([4096], np.uint16), "allowed: 0 to 4095"),
        (np.array([0.5]), "holds float64, no words"),
        (np.zeros(0, int), "is empty"),
        (np.array([True]), "holds bool"),
    ],
)
def test_arrays_refused(array: object, reason: str, tmp_path: Path) -> None:
    """Integers alone, and within the type."""
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(GoldenError, match=reason):
        read(tmp_path / "a.npy", T)


def _mem(path: Path, codes: object, t: object) -> Path:
    words = [word_of(code, t) for code in np.asarray(codes).tolist()]  # type: ignore[arg-type]
    path.write_text("".join(f"{word:x}\n" for word in words))
    return path


def test_replay_of_a_cast(tmp_path: Path) -> None:
    """Inputs and what is expected, word by word; a wrong one is found on its line."""
    source, t = ApFixed(16, 6), ApFixed(8, 4, rounding="RND", overflow="SAT")
    codes = np.array([327, -32768, 1, 32767, -33])
    inputs = _mem(tmp_path / "in.mem", codes, source)
    expect = _mem(tmp_path / "out.mem", cast_codes(codes, source, t), t)
    assert replay_words([inputs], expect, t, [source]).differences == ()
    expect.write_text(expect.read_text().replace("7f\n", "7e\n"))
    (found,) = replay_words([inputs], expect, t, [source]).differences
    assert found.at(str(expect)).startswith(f"{expect}:4: cast a ap_fixed<16,6>")
    assert (found.got, found.expected) == ("7f", "7e")
    _mem(tmp_path / "out.mem", [1, 2], t)
    with pytest.raises(GoldenError, match="has 2 words, .*in.mem has 5"):
        replay_words([inputs], expect, t, [source])
    with pytest.raises(GoldenError, match="in.mem: name the type of its words with --source"):
        replay_words([inputs], expect, t, [None])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "u8"])
def test_replay_of_numbers(dtype: str, tmp_path: Path) -> None:
    """An .npy without a source holds numbers: floats take the double path, integers theirs."""
    t = ApFixed(8, 4, rounding="RND", overflow="SAT")
    np.save(tmp_path / "x.npy", np.array([0.53125, 7, 100, 3], dtype))
    first = 0 if dtype[0] in "iu" else 9
    expect = _mem(tmp_path / "y.hex", [first, 112, 127, 48], t)
    assert replay_words([tmp_path / "x.npy"], expect, t, [None]).differences == ()
    np.save(tmp_path / "y.npy", np.array([first, 112, 126, 48]))
    (found,) = replay_words([tmp_path / "x.npy"], tmp_path / "y.npy", t, [None]).differences
    assert ":element 2: convert x " in found.at(str(tmp_path / "y.npy"))


def test_replay_of_operators(tmp_path: Path) -> None:
    """A file for each operand; the type of the result need not be named, and cannot be another."""
    ta, tb = ApInt(8), ApInt(12, signed=False)
    a, b = np.array([-100, 7, -1]), np.array([7, 9, 4000])
    files = [_mem(tmp_path / "a.mem", a, ta), _mem(tmp_path / "b.mem", b, tb)]
    for op in ("+", "/", "<", "&="):
        target = result_type(op, ta, tb)
        expect = _mem(tmp_path / "y.mem", compute_codes(op, a, ta, b, tb), target)
        assert replay_words(files, expect, None, [ta, tb], op).differences == ()
    with pytest.raises(ValueError, match=r"the result is ap_int<8>, not ap_int<9>; leave --type"):
        replay_words(files, expect, ApInt(9), [ta, tb], "&=")
    with pytest.raises(ValueError, match=r"\+ takes 2 files of inputs, not 1"):
        replay_words(files[:1], expect, None, [ta, tb], "+")
    counts = _mem(tmp_path / "n.mem", [1, 0, -3], NUMBERS["int"])
    expect = _mem(tmp_path / "y.mem", compute_codes("<<", a, ta, np.array([1, 0, -3])), ta)
    found = replay_words([files[0], counts], expect, None, [ta, NUMBERS["int"]], "<<")
    assert found.differences == ()
    slices = _mem(tmp_path / "y.mem", [0b1001, 0b0000, 0b1111], ApInt(4, signed=False))
    assert not replay_words(files[:1], slices, None, [ta], "range", (7, 4)).differences


def test_golden_vectors_of_words(oracle: Oracle, tmp_path: Path) -> None:
    """Bare words become values of their type, or a cast of them that the header witnesses."""
    path = _mem(tmp_path / "w.mem", [5, -2048, 5, 2047], T)
    truth = worded(path, T, None, oracle)
    (group,) = truth.groups
    assert (group.operation, group.shape, group.note) == ("values", (4,), "w")
    assert group.words("expected") == [5, 0x800, 5, 0x7FF]
    assert loads(dumps(truth)) == truth
    t = ApFixed(6, 4, overflow="SAT")
    truth = worded(path, t, T, oracle)
    assert truth.groups[0].words("expected") == [0, 0x20, 0, 0x1F]
    assert replay(truth.groups).differences == ()
    assert loads(dumps(truth)) == truth


PAIRS = {
    "fixed": (ApFixed(8, 4, overflow="SAT_SYM"), ApFixed(6, 3, signed=False)),
    "integers": (ApInt(7), ApInt(5, signed=False)),
    "mixed": (ApInt(6), ApFixed(7, 3)),
}


@pytest.fixture(scope="module")
def questions(oracle: Oracle) -> dict[tuple[str, str], object]:
    """Every operator on every pair of types that has it, compiled at once."""
    found = {}
    for name, (ta, tb) in PAIRS.items():
        for op in Operation:
            ends = (4, 1) if op is Operation.RANGE else ()
            try:
                question = operator(op.value, ta, tb if op.binary else None, 30, Stream(1), ends)
            except ValueError:
                continue
            if name != "mixed" or op.value in ("+", "/", "<", "&", "*=", "/=", "=="):
                found[name, op.value] = question
    list(oracle.compile([kernel_of(question) for question in found.values()]))
    return found


@pytest.mark.parametrize("op", Operation)
def test_every_operator(
    op: Operation, questions: dict[tuple[str, str], object], oracle: Oracle
) -> None:
    """Header and reference agree on it, NumPy replays it, and a flipped bit is found."""
    here = [question for (_, name), question in questions.items() if name == op.value]
    assert here
    for question in here:
        group = answered(question, 0, oracle)  # type: ignore[arg-type]
        assert len(group.cases) >= 20
        assert replay([group]).differences == ()


def test_orders_of_operators(oracle: Oracle) -> None:
    """Vectors of an operator, at most so many, the same each time; what C++ lacks is refused."""
    ta, tb = PAIRS["fixed"]
    truth = operated("*", ta, tb, (), 100, 3, oracle)
    assert truth.count == 100
    assert loads(dumps(truth)) == truth == operated("*", ta, tb, (), 100, 3, oracle)
    assert operated("<<", ta, None, (), 50, 3, oracle).groups[0].columns["b"] == NUMBERS["int"]
    truth = operated("range", ta, None, (6, 2), 300, 3, oracle)
    assert (truth.count, truth.groups[0].ends) == (256, (6, 2))
    assert loads(dumps(truth)) == truth
    assert replay(truth.groups).differences == ()
    for op, left, right, reason in (
        ("%", ta, tb, "takes integer types"),
        ("+", FORMATS["float16"], ta, "does not exist"),
        ("sqrt", ta, None, "is closed"),
        ("+", ta, None, "takes two types"),
    ):
        with pytest.raises(ValueError, match=reason):
            operated(op, left, right, (), 10, 0, oracle)
    assert operated("*", MiniFloat(3, 4, 0), ta, (), 20, 0, oracle).family == "minifloat"


def test_names_of_operations() -> None:
    """A truth file knows every operator there is, and every kind of bare file has a reader."""
    assert {op.value for op in Operation} < set(OPERATIONS)
    assert list(READERS) == [".mem", ".hex", ".coe", ".mif", ".npy"]
