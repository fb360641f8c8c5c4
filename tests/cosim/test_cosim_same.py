"""assert_same: what it draws, what it finds, how far it shrinks, and what it says."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from harness import Fixed, quantize
from harness.cosim import (
    CosimError,
    RunError,
    SignatureError,
    assert_same,
    compare,
    cpp,
    read_calls,
    recorded,
    write_calls,
)
from harness.cosim.draws import Drawing, input_bits
from harness.cosim.reproduce import write_reproducers
from harness.cosim.sides import as_side

KINDS = Path(__file__).with_name("kinds.cpp")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "cosim"


@pytest.fixture(scope="module")
def square():
    return cpp(KINDS, "square")


def test_a_small_input_is_compared_wholly(square):
    found = assert_same(lambda x: quantize(x * x, "ap_fixed<8,4>"), square)
    assert found.every
    assert found.count == 256
    assert str(found).startswith("AGREE: <lambda> and kinds.cpp:square, 256 calls, every input")
    with pytest.raises(AssertionError) as raised:
        assert_same(lambda x: x * x, square)
    text = str(raised.value)
    assert "x = 0.0625 (code 1)" in text, "the simplest input that there is"
    assert "<lambda> gives 0.00390625, which ap_fixed<8,4> has not" in text
    assert "kinds.cpp:square gives 0.0 (code 0)" in text


def test_differences_are_shrunk():
    f = cpp(EXAMPLES / "matvec.h", "matvec<3, 4>")
    found = compare(lambda a, x: np.where((a @ x == 0).all(), 0, a @ x), f, examples=20000)
    difference = found.difference
    assert difference is not None
    call = difference.calls[0]
    exact = call["a"] @ call["x"]
    assert (np.abs(exact) > 2047).sum() == 1, "one sum wraps, and no other is needed"
    assert (call["a"].any(axis=1)).sum() == 1
    assert difference.port == "y"
    assert difference.place in ("[0]", "[1]", "[2]")


def test_runs_of_a_stateful_function_begin_anew_and_are_shrunk():
    def forgetful():
        class Counter:
            def reset(self):
                self.n = 0

            def __call__(self, up):
                self.n = (self.n + (1 if up else -1)) if self.n < 2 else 0
                return self.n

        return Counter()

    found = compare(forgetful(), cpp(KINDS, "counter"))
    assert found.difference is not None
    assert [bool(c["up"]) for c in found.difference.calls][:2] == [True, True]
    assert len(found.difference.calls) == 3
    assert "call 2: up" in str(found)


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (lambda x: [x, x], r"shape \(2,\) for result, which has \(\)"),
        (lambda x: "one", "gives one, which ap_fixed<8,4> has not"),
        (lambda: 0, r"raises TypeError: .*positional"),
        (lambda x: 1 / (x - 1), r"(?s)x = 1\.0 .*raises (Zero|RuntimeWarning)|has not"),
        (lambda x: np.nan, "gives nan, which ap_fixed<8,4> has not"),
    ],
)
def test_a_python_side_that_does_not_fit_is_told(a, message, square):
    with pytest.raises((AssertionError, SignatureError), match=message):
        assert_same(a, square)


def test_signatures_have_to_match(square):
    with pytest.raises(SignatureError, match="square has 1 inputs .x., kinds.cpp:shift 2"):
        compare(square, cpp(KINDS, "shift"))
    with pytest.raises(
        SignatureError, match=r"square has in x: .*; kinds\.cpp:counter has in up: bool"
    ):
        compare(square, cpp(KINDS, "counter"))
    with pytest.raises(SignatureError, match="neither <lambda> nor <lambda> says what types"):
        compare(lambda x: x, lambda x: x)
    with pytest.raises(SignatureError, match="cannot compare 3; allowed: cpp"):
        compare(3, square)
    with pytest.raises(SignatureError, match=r"in is a stream: say how many .*sizes=\{'in': N\}"):
        compare(lambda x: x, cpp(KINDS, "evens"))
    with pytest.raises(ValueError, match="examples must be at least 1, not 0"):
        compare(square, square, examples=0)


def test_a_side_that_dies_is_a_difference_with_its_input():
    f = cpp(KINDS, "dies", seconds=0.5)
    found = compare(lambda how, x: x if how not in range(1, 9) else 0, f, examples=3000)
    assert found.difference is not None
    assert found.difference.port is None
    assert int(found.difference.calls[0]["how"]) in range(1, 9)
    assert "kinds.cpp:" in str(found)
    with pytest.raises(RunError):
        recorded(cpp(KINDS, "greedy", sizes={"in": 1}))


def test_answers_by_chance_are_told(tmp_path):
    path = tmp_path / "chance.cpp"
    path.write_text(
        "#include <ctime>\n"
        "long long f(int x) {\n"
        "  timespec t;\n"
        "  clock_gettime(CLOCK_MONOTONIC, &t);\n"
        "  return t.tv_nsec + x;\n"
        "}\n"
    )
    with pytest.raises((CosimError, AssertionError), match="the same inputs differently|DIFFER"):
        assert_same(lambda x: x, cpp(path, "f"))


def test_floats_compare_as_numbers(tmp_path):
    path = tmp_path / "floats.cpp"
    path.write_text("void f(float x, double y, float& a, double& b) { a = x / 3; b = y * y; }\n")
    f = cpp(path, "f")

    def right(x, y):
        with np.errstate(all="ignore"):
            return np.float32(np.float32(x) / np.float32(3)), y * y

    found = assert_same(right, f)
    assert found.count >= 1000
    wrong = compare(lambda x, y: (x / 3, right(x, y)[1]), f)
    assert wrong.difference is not None
    assert wrong.difference.port == "a"


def test_a_conversion_is_explained(tmp_path):
    path = tmp_path / "cast.cpp"
    path.write_text('#include "ap_fixed.h"\nap_fixed<6, 3, AP_RND, AP_SAT> f(ap_fixed<9, 4> x)'
                    " { return x; }\n")  # fmt: skip
    found = compare(lambda x: quantize(x, "ap_fixed<6,3,AP_RND_ZERO,AP_SAT>"), cpp(path, "f"))
    assert found.difference is not None
    text = str(found)
    assert "as the conversion that it is:" in text
    assert "AP_RND" in text


def test_what_no_input_reached_is_said():
    text = str(compare(lambda x: [-v for v in x], cpp(KINDS, "several", sizes={"x": 4, "y": 4})))
    assert text.startswith("DIFFER"), "minus the smallest saturates"
    found = compare(cpp(KINDS, "counter"), cpp(KINDS, "counter"), examples=50)
    assert "result never gave its smallest, its largest (ap_int<32>)" in str(found)


@pytest.mark.parametrize("top", ["scalars", "wide", "matrix", "nested"])
def test_drawn_inputs_reach_the_ends_of_every_type(top):
    signature = cpp(KINDS, top).signature
    drawing = Drawing(signature)
    assert input_bits(signature) >= 48
    rng = np.random.default_rng(0)
    batch = drawing.batch([rng.bytes(drawing.size) for _ in range(2000)])
    zero = drawing.batch([bytes(drawing.size)])
    stack = [(p, batch[p.name], zero[p.name]) for p in signature.inputs]
    while stack:
        port, codes, nothing = stack.pop()
        for f in port.fields:
            stack.append((f, codes[f.name], nothing[f.name]))
        if port.type is None:
            continue
        values = {int(c) for c in np.ravel(codes)}
        assert not np.ravel(nothing).any()
        assert min(values) >= port.type.min_code or port.type.width == 64
        assert max(values) <= port.type.max_code
        if port.type.width > 1:
            assert len(values) > 3
        if port.type.width != 64:
            assert {port.type.min_code, port.type.max_code} <= values


def test_calls_are_recorded_replayed_and_refused(tmp_path, square):
    path = tmp_path / "calls.json"
    streams = cpp(KINDS, "evens", sizes={"in": 3})
    for function in (square, cpp(KINDS, "nested"), streams, cpp(KINDS, "wide")):
        calls = recorded(function, examples=40)
        write_calls(path, calls)
        found = compare(path, function)
        assert found.agrees, str(found)
        assert found.count == 40
        again, other = recorded(function, examples=40), recorded(function, examples=40, seed=1)
        assert repr(again.inputs) == repr(calls.inputs) != repr(other.inputs)
    document = json.loads(path.read_text())
    document["outputs"]["next"][7] ^= 1
    path.write_text(json.dumps(document))
    assert compare(path, cpp(KINDS, "wide")).difference is not None
    path.write_text('{"schema": 2}')
    with pytest.raises(CosimError, match="has schema 2; this reads 1"):
        read_calls(path)
    path.write_text("{")
    with pytest.raises(CosimError, match="is no file of calls"):
        read_calls(path)
    with pytest.raises(CosimError, match="cannot read .*: No such file"):
        read_calls(tmp_path / "none.json")
    with pytest.raises(SignatureError, match="does not say what types it takes"):
        recorded(lambda x: x)


@pytest.mark.parametrize("top", ["square", "wide", "nested", "evens", "counter", "scalars"])
def test_the_reproducer_compiles_alone_and_prints_the_code(top, tmp_path):
    f = cpp(KINDS, top, sizes={"in": 4} if top == "evens" else {})

    def wrong(*_):
        return tuple(Fraction(1, 3) for _ in f.signature.outputs)

    def empty(p):
        points = {"x": p.points.x[:, 0], "tag": p.points.tag[0] * 0 + 7}
        return {"points": points, "length": p.length[0] * 0}

    single = len(f.signature.outputs) == 1
    given = {"evens": lambda _: [1.0], "nested": empty}.get(
        top, (lambda *a: wrong(*a)[0]) if single else wrong
    )
    found = compare(f, given)
    sides = (as_side(f), as_side(given))
    files = write_reproducers(found, sides, tmp_path)
    assert [p.name for p in files] == ["main_a.cpp", "calls_a.json"]
    command = files[0].read_text().splitlines()[1].removeprefix("// ")
    command = command.replace("THIS_FILE", "main_a.cpp").replace("g++", "g++ -w")
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    answer = found.difference.answers[0]
    if answer.code is not None and top not in ("nested", "wide"):
        assert str(answer.code) in done.stdout
    replayed = compare(files[1], f)
    assert replayed.agrees


def test_lost_bits_are_counted_line_by_line():
    f = cpp(EXAMPLES / "matvec.h", "matvec<3, 4>", count=True)
    rng = np.random.default_rng(0)
    a, x = rng.integers(-32, 32, (2000, 3, 4)), rng.integers(-32, 32, (2000, 4))
    f.batch(a, x)
    total, wrapped = np.zeros((2000, 3), int), 0
    for k in range(4):
        exact = total + a[:, :, k] * x[:, None, k]
        total = (exact + 2048) % 4096 - 2048
        wrapped += int((total != exact).sum())
    assert wrapped > 10
    first = f.counts()[0]
    assert (first.overflowed, first.count, first.rounded) == (wrapped, 24000, 0)
    assert first.type == "ap_int<12>"
    assert first.place.endswith("matvec.h:8")
    assert f.counts() == [], "it is told once"


def test_ties_and_carries_are_counted(tmp_path):
    path = tmp_path / "round.cpp"
    path.write_text(
        '#include "ap_fixed.h"\n'
        "ap_fixed<4, 2, AP_RND, AP_SAT> f(ap_fixed<8, 4> x) {\n"
        "  ap_fixed<4, 2, AP_RND, AP_SAT> y = x;\n"
        "  return y;\n"
        "}\n"
    )
    f = cpp(path, "f", count=True)
    codes = np.arange(-128, 128)
    f.codes.batch(codes)
    floor, rest = codes >> 2, codes & 3
    rounded = floor + (rest >= 2)
    over = (rounded > 7) | (rounded < -8)
    (lost,) = f.counts()
    assert lost.count == 256
    assert lost.overflowed == over.sum()
    assert lost.carried == (over & (floor <= 7) & (floor >= -8)).sum() > 0
    assert (lost.rounded, lost.tied) == ((rest != 0).sum(), (rest == 2).sum())


def test_counting_changes_nothing_and_survives_a_reset():
    plain, counted = (cpp(EXAMPLES / "pid.cpp", "pid", count=c) for c in (False, True))
    found = compare(plain, counted, examples=300)
    assert found.agrees, str(found)
    losses = {lost.place.rpartition(":")[2]: lost for lost in found.lost["pid.cpp:pid"]}
    source = (EXAMPLES / "pid.cpp").read_text().splitlines()
    line = next(str(k) for k, text in enumerate(source, 1) if "return k.p" in text)
    assert losses[line].count == found.count
    assert losses[line].rounded > found.count / 4
    assert "what the assignments of pid.cpp:pid lost" in str(found)


def test_the_hardware_types_of_python_agree(square):
    assert_same(lambda x: (Fixed.of(x, "ap_fixed<8,4>") * Fixed.of(x, "ap_fixed<8,4>"))
                .to("ap_fixed<8,4>").to_double(), square)  # fmt: skip


def test_functions_that_take_nothing_are_called_all_the_same(tmp_path):
    path = tmp_path / "nothing.cpp"
    path.write_text(
        "int seven() { return 7; }\n"
        "void next(int& n, bool& odd) { static int count = 0; n = ++count; odd = count % 2; }\n"
    )
    found = assert_same(lambda: 7, cpp(path, "seven"))
    assert (found.count, found.every) == (1, True)
    assert compare(lambda: 8, cpp(path, "seven")).difference is not None

    class Next:
        def reset(self):
            self.n = 0

        def __call__(self):
            self.n += 1
            return {"n": self.n, "odd": self.n % 2}

    assert assert_same(Next(), cpp(path, "next"), examples=50).count >= 50
