"""C++ functions of every kind: what they take, what they give, and how they end."""

import os
import shutil
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from harness import MiniFloat
from harness.cosim import CompileError, CosimError, RunError, SignatureError, cpp

KINDS = Path(__file__).with_name("kinds.cpp")


def line_of(how):
    lines = KINDS.read_text(encoding="utf-8").splitlines()
    place = next(k for k, line in enumerate(lines, 1) if f"how == {how}" in line)
    return f"{KINDS}:{place + (how == 4)}"


def ports(function):
    return [str(p) for p in function.signature.ports]


def test_natives_travel_as_they_are():
    f = cpp(KINDS, "scalars")
    assert [p.direction for p in f.signature.ports] == ["in"] * 7 + ["out"] * 2
    out = f(True, -3, 65535, -(2**62), 0.1 + 0.4, 1e300, 5)
    assert out.sum == 1 - 3 + 65535 - 2**62 + 5
    assert out.product == float(np.float32(0.5)) * 1e300
    with pytest.raises(SignatureError, match=r"f: 0\.1 is no value of ieee<8,23>"):
        f(True, 0, 0, 0, 0.1, 1.0, 0)
    with pytest.raises(SignatureError, match=r"c: 128 is no value of ap_int<8>"):
        f(True, 128, 0, 0, 0.5, 1.0, 0)


def test_wide_numbers_are_exact():
    f = cpp(KINDS, "wide")
    x = Fraction(-(2**99) + 12345, 2**60)
    out = f(x, 2**64 - 2)
    assert out.twice == x * 2**60 % 2**100
    assert out.next == 2**64 - 1
    codes = f.codes.batch(np.array([-1, 2**99 - 1], object), np.array([2**64 - 1, 0], object))
    assert codes.twice.tolist() == [2**100 - 1, 2**99 - 1]
    assert codes.next.tolist() == [0, 1]


def test_structs_are_their_fields():
    f = cpp(KINDS, "nested")
    given = {
        "points": {"x": [[1.5, 2.0], [7.0, 6.0]], "tag": [[[1, 2], [3, 4]], [[5, 6], [7, 0]]]},
        "length": [30000, 1000],
    }
    out = f(given)
    assert out.points.x.tolist() == [3.5, 7.9375]
    assert out.points.tag.tolist() == [[1, 2], [7, 0]]
    assert out.length == 31000
    points = {name: [codes] * 3 for name, codes in given["points"].items()}
    many = f.batch({"points": points, "length": [[1, 2]] * 3})
    assert many.length.tolist() == [3, 3, 3]
    with pytest.raises(SignatureError, match="p is a struct: give a dict of points, length"):
        f({"points": 1})
    with pytest.raises(SignatureError, match=r"p\.length has the shape \(2,\), and"):
        f({**given, "length": [1]})


def test_arrays_keep_their_dimensions():
    f = cpp(KINDS, "matrix")
    assert ports(f) == ["in x: ap_fixed<8, 4, AP_RND, AP_SAT>[2][3]",
                        "out y: ap_fixed<8, 4, AP_RND, AP_SAT>[3][2]"]  # fmt: skip
    x = np.arange(6).reshape(2, 3)
    assert f(x).tolist() == x.T.tolist()
    rows = np.arange(-30, 30).reshape(10, 2, 3) / 16
    assert (f.batch(rows) == rows.transpose(0, 2, 1)).all()
    with pytest.raises(SignatureError, match=r"x has the shape \(2, 3\), and \(6,\)"):
        f(np.zeros(6))
    assert f.batch(np.zeros((0, 2, 3))).shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("top", "more", "expected"),
    [
        ("shift", {}, ["inout", "in"]),
        ("through", {}, ["in", "out"]),
        ("maybe", {}, ["in", "out"]),
        ("several", {"sizes": {"x": 4, "y": 4}}, ["in", "out"]),
        ("several", {"sizes": {"x": 4, "y": 4}, "directions": {"y": "inout"}}, ["in", "inout"]),
    ],
)
def test_directions_are_read_from_the_body(top, more, expected):
    assert [p.direction for p in cpp(KINDS, top, **more).signature.ports] == expected


def test_what_goes_both_ways_is_given_and_returned():
    f = cpp(KINDS, "shift")
    assert f([1, 2, 3], 7).tolist() == [7, 1, 2]
    assert f(line=[0, 0, 0], x=-1).tolist() == [-1, 0, 0]
    assert cpp(KINDS, "maybe")(False) == 0, "what is not written is zero, never what was there"
    with pytest.raises(SignatureError, match="shift also takes x"):
        f([1, 2, 3])
    with pytest.raises(SignatureError, match="no input 'z'; it takes line, x"):
        f([1, 2, 3], z=1)
    with pytest.raises(SignatureError, match="2 inputs, not 3"):
        f([1, 2, 3], 1, 1)


def test_streams_take_and_give_any_number():
    f = cpp(KINDS, "evens")
    assert f([1, -1, 2.5, 0]).tolist() == [1, 2.5]
    found = f.batch([[1, 2], [3, -1], [-1, -2]])
    assert [x.tolist() for x in found] == [[1, 2], [3], []]
    assert f([]).tolist() == []
    assert len(f(np.ones(1000))) == 1000
    with pytest.raises(RunError, match="greedy reads a stream while it is empty"):
        cpp(KINDS, "greedy")([1])
    shy = cpp(KINDS, "shy")
    with pytest.raises(RunError, match=r"leaves 2 values of the stream in unread, in call 0 of 3"):
        shy.batch(np.ones((3, 3)))
    assert shy([1.5]) == 1.5, "it goes on"


def test_templates_and_namesakes():
    cube = cpp(KINDS, "dsp::power<3>")
    assert cube.batch(np.arange(-4, 5)).tolist() == [k**3 for k in range(-4, 5)]
    assert cpp(KINDS, "twice(data_t)")(0.5) == 1
    with pytest.raises(SignatureError, match=r"overloaded: .*: twice\(int\); twice\(data_t\)"):
        cpp(KINDS, "twice")
    with pytest.raises(SignatureError, match="power is a template: name its arguments, as in"):
        cpp(KINDS, "dsp::power")


def test_state_lives_on_until_reset():
    f = cpp(KINDS, "counter")
    assert f.signature.stateful
    assert not cpp(KINDS, "dsp::power<3>").signature.stateful
    assert f.batch([True] * 3).tolist() == [1, 2, 3]
    assert f(False) == 2
    f.reset()
    assert f(False) == -1
    other = cpp(KINDS, "counter")
    assert other(True) == 1, "each has its own"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (1, r"fails its assertion x == 0"),
        (2, r"calls exit\(3\)"),
        (3, r"divides by zero, or the like \(SIGFPE\)"),
        (4, r"did not come back within 0\.5 s"),
        (6, r"throws std::runtime_error: not here"),
        (7, r"aborts"),
        (8, r"has no memory \(SIGSEGV\)"),
    ],
)
def test_whatever_ends_it_is_an_exception_with_its_line(how, expected):
    f = cpp(KINDS, "dies", seconds=0.5)
    with pytest.raises(RunError, match=expected + r", at .*, in call 2 of 4$") as raised:
        f.batch([0, 0, how, 0], [1, 2, 3, 4])
    assert raised.value.call == 2
    assert raised.value.where == line_of(how)
    assert f(0, 5) == 5, "the next call starts it again"


def test_out_of_bounds_is_found_by_the_sanitizer():
    f = cpp(KINDS, "dies", sanitize=True)
    assert f(0, 3) == 3
    with pytest.raises(RunError, match="dies is undefined: index 4 out of bounds") as raised:
        f(5, 0)
    assert raised.value.where == line_of(5)
    assert f(0, 3) == 3
    with pytest.raises(RunError, match="dies is undefined: division by zero") as raised:
        f(3, 1)
    assert raised.value.where == line_of(3)
    assert cpp(KINDS, "square", sanitize=True).batch(np.arange(-128, 128) / 16).shape == (256,)


@pytest.mark.parametrize(
    ("source", "top", "message"),
    [
        ("", "firr", r"kinds\.cpp has no function firr; it has .*scalars"),
        ("", "nothing", "nothing gives nothing back"),
        ("", "carries", r"s has the type std::.*; allowed: ap_\[u\]fixed"),
        ("", "several", r"x points to values.*sizes=\{'x': N\}"),
        ("int f(int x) { return y; }", "f", r"broken\.cpp:1: use of undeclared identifier 'y'"),
        ('#include "no.h"\nint f(int x) { return x; }', "f", r"broken\.cpp:1: 'no\.h' file not"),
        ("int g(int);\nint f(int x) { return g(x); }", "f", r"undefined reference to `g\(int\)'"),
        ("struct s { int a : 3; };\nvoid f(s x, int& y) { y = x.a; }", "f", r"x\.a is a bit field"),
        ("union u { int a; float b; };\nvoid f(u x, int& y) { y = x.a; }", "f", "x has the type u"),
        ("void f(int x, const int& y) {}", "f", "f gives nothing back"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_one_line(source, top, message, tmp_path):
    path = KINDS
    if source:
        path = tmp_path / "broken.cpp"
        path.write_text(source, encoding="utf-8")
    with pytest.raises((SignatureError, CompileError), match=message) as raised:
        cpp(path, top)
    assert "\n" not in str(raised.value)


def test_wrong_options_are_named():
    with pytest.raises(SignatureError, match="there is no file nowhere.cpp"):
        cpp("nowhere.cpp", "f")
    with pytest.raises(SignatureError, match="there is no folder nowhere"):
        cpp(KINDS, "shift", include=["nowhere"])
    with pytest.raises(SignatureError, match="sizes names 'z'; shift takes line, x"):
        cpp(KINDS, "shift", sizes={"z": 3})
    with pytest.raises(SignatureError, match="x goes in, out or inout, not 'up'"):
        cpp(KINDS, "shift", directions={"x": "up"})
    with pytest.raises(SignatureError, match="needs a source"):
        cpp([], "f")


def test_several_files_folders_and_macros(tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "types.h").write_text(
        '#include "ap_int.h"\ntypedef ap_int<W> data_t;\ndata_t half(data_t x);\n'
    )
    half = tmp_path / "half.cpp"
    half.write_text('#include "types.h"\ndata_t half(data_t x) { return x / 2; }\n')
    top = tmp_path / "top.cpp"
    top.write_text('#include "types.h"\ndata_t top(data_t x) { return half(x) + OFFSET; }\n')

    def made(offset):
        return cpp([top, half], "top", include=[tmp_path / "inc"],
                   defines={"W": 12, "OFFSET": offset})  # fmt: skip

    assert made(1)(-7) == -2
    assert made(100)(-7) == 97
    half.write_text('#include "types.h"\ndata_t half(data_t x) { return x >> 1; }\n')
    assert made(1)(-7) == -3, "a changed file is compiled again"
    header = tmp_path / "inc" / "types.h"
    header.write_text(header.read_text().replace("ap_int<W>", "ap_uint<W>"))
    assert made(1)(7) == 4, "and so is a changed header"
    with pytest.raises(SignatureError, match="no value of ap_uint<12>"):
        made(1)(-7)


def test_macros_reach_the_vendors_headers(tmp_path):
    path = tmp_path / "giant.cpp"
    path.write_text(
        "#define AP_INT_MAX_W 2048\n"
        '#include "ap_int.h"\nap_int<1500> f(ap_int<1000> x) { return x; }\n'
    )
    with pytest.raises(SignatureError, match="result has the type ap_int<1500>"):
        cpp(path, "f")
    path.write_text('#include "ap_int.h"\nap_int<1000> f(ap_int<1000> x) { return x + 1; }\n')
    assert cpp(path, "f")(2**998) == 2**998 + 1


def test_ac_types_come_with_the_pinned_headers(tmp_path):
    path = tmp_path / "ac.cpp"
    path.write_text(
        '#include "ac_fixed.h"\n'
        "void f(ac_fixed<8, 4, true> x, ac_int<70, true> n,"
        " ac_fixed<6, 3, false, AC_RND, AC_SAT>& y, ac_int<71, true>& m) { y = x; m = n + 1; }\n"
    )
    f = cpp(path, "f")
    found = f.batch([-1.5, 7.9375, 0.0625, 0.1875], np.array([2**69 - 1, -(2**69), -1, 0], object))
    assert found.y.tolist() == [0, 7.875, 0.125, 0.25]
    assert found.m.tolist() == [2**69, -(2**69) + 1, 0, 1]


def test_printed_text_is_kept(tmp_path):
    path = tmp_path / "loud.cpp"
    path.write_text('#include <cstdio>\nint f(int x) { printf("x is %d\\n", x); return x; }\n')
    f = cpp(path, "f")
    assert f.batch([1, 2]).tolist() == [1, 2]
    assert f.printed == "x is 1\nx is 2\n"
    assert f(3) == 3
    assert f.printed == "x is 3\n"


def test_it_is_compiled_once_and_a_damaged_copy_again(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path))
    path = tmp_path / "once.cpp"
    path.write_text("int f(int x) { return x + 1; }\n")
    said = []
    assert cpp(path, "f", say=said.append)(1) == 2
    assert cpp(path, "f", say=said.append)(1) == 2
    assert said == ["compiling once.cpp ..."]
    index = next((tmp_path / "cosim").glob("*.json"))
    program = next(p for p in (tmp_path / "cosim").iterdir() if p.name.startswith(index.stem + "-"))
    short = program.read_bytes()[:100]
    program.unlink()
    program.write_bytes(short)
    assert cpp(path, "f", say=said.append)(1) == 2
    index.write_text("{")
    assert cpp(path, "f", say=said.append)(1) == 2
    assert len(said) == 3
    assert not list((tmp_path / "cosim").glob("building-*"))
    old = cpp(path, "f")
    left = tmp_path / "cosim" / "building-killed"
    left.mkdir()
    os.utime(left, (0, 0))
    path.write_text("int f(int x) { return x + 2; }\n")
    assert cpp(path, "f")(1) == 3
    assert old(1) == 2, "who has a function keeps it"
    assert not left.exists()


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(CosimError, match="cannot write the cache .*HARNESS_CACHE_DIR"):
        cpp(KINDS, "shift")


def test_two_threads_have_a_process_each():
    functions = [cpp(KINDS, "counter") for _ in range(2)]
    found = {}

    def ask(k):
        found[k] = functions[k].batch([True] * 20000)[-1]

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == {0: 20000, 1: 20000}


def test_no_process_outlives_its_python():
    code = (
        "import sys; from harness.cosim import cpp\n"
        f"f = cpp({str(KINDS)!r}, 'counter'); f(True)\n"
        "print(f._runner._process.pid, flush=True); import os; os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    pid = int(done.stdout)
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            break
        threading.Event().wait(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_without_libclang_the_extra_is_named(monkeypatch):
    from harness.cosim.cxx import frontend

    monkeypatch.setitem(sys.modules, "clang", None)
    frontend.clang.cache_clear()
    try:
        with pytest.raises(CosimError, match=r"pip install 'hls-harness\[cosim\]'"):
            frontend.clang()
    finally:
        monkeypatch.undo()
        frontend.clang.cache_clear()


def test_without_a_compiler_it_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CompileError, match="no C\\+\\+ compiler 'no-such-compiler'"):
        cpp(KINDS, "shift")
    assert shutil.which("g++") or os.environ.get("CXX")


def test_the_open_ap_float_travels(tmp_path):
    path = tmp_path / "floats.cpp"
    path.write_text(
        '#include "ap_fixed.h"\n#include <sstream>\n#include "ap_float.h"\n'
        "void f(const ap_float<3, 4, 0> x[2], ap_float<3, 4, 0> y[2]) {\n"
        "  y[0] = x[1]; y[1] = x[0]; }\n"
    )
    f = cpp(path, "f")
    assert f.signature.inputs[0].type == MiniFloat(3, 4, 0)
    assert f([1.5, -2.0]).tolist() == [-2.0, 1.5]
    codes = np.arange(256).reshape(128, 2)
    assert (f.codes.batch(codes) == codes[:, ::-1]).all()


def test_counting_that_does_not_compile_says_so(tmp_path):
    path = tmp_path / "odd.cpp"
    path.write_text(
        '#include "ap_int.h"\ntemplate <class T> struct only;\n'
        "template <> struct only<ap_int_base<8, true>> {};\n"
        "template <int W> int sizes(const ap_int<W>&) { return sizeof(ap_int<W>); }\n"
        'static_assert(sizeof(ap_int<8>) == 1 && !__is_class(ap_int<8>), "odd");\n'
        "int f(ap_int<8> x) { return sizes(x); }\n"
    )
    with pytest.raises(CompileError, match="odd"):
        cpp(path, "f", count=True)


def test_short_macros_of_a_source_do_not_reach_ours(tmp_path):
    path = tmp_path / "short.cpp"
    macros = "".join(f"#define {name} {k}\n" for k, name in enumerate("NWISTQOMEKF", 3))
    path.write_text(
        f'{macros}#include "ap_fixed.h"\n#include "hls_stream.h"\n#define words 2\n'
        "void f(ap_fixed<W, 2> x[N], hls::stream<ap_int<M> >& y) { y.write(x[0] + N); }\n"
    )
    assert cpp(path, "f")([1, 0, 0]).tolist() == [4]


def test_macros_that_are_named_do_not_reach_ours(tmp_path):
    path, other = tmp_path / "named.cpp", tmp_path / "other.cpp"
    path.write_text(
        '#include "ap_int.h"\nint other();\n'
        "void f(ap_int<W> x[N], ap_int<W>& y) { y = 0; for (int k = 0; k < N; ++k) y += x[k];\n"
        "#ifdef T\n  y += SQUARE(T) + other();\n#endif\n}\n"
    )
    other.write_text("int other() { return N; }\n")
    macros = ["N=3", "W=9", "T", "SQUARE(x)=((x) * (x))"]
    for count in (False, True):
        f = cpp([path, other], "f", defines=macros, count=count)
        assert str(f.signature.ports[0]) == "in x: ap_int<9>[3]"
        assert f([1, 2, 3]) == 10
    with pytest.raises(CompileError, match=r"named\.cpp:3: use of undeclared identifier 'W'"):
        cpp([path, other], "f", defines={"N": 3})
    with pytest.raises(SignatureError, match=r"named\.cpp has no function g; it has"):
        cpp([path, other], "g", defines=macros)


def test_pointers_that_are_moved_cast_or_kept_may_be_written_through(tmp_path):
    path = tmp_path / "pointers.c"
    path.write_text(
        "#include <string.h>\n"
        "void moved(int* p, int x) { *(p + 1) = x; }\n"
        "void cast(volatile int* p) { int b[4]; memcpy(b, (const int*)p, 16); b[0]++;"
        " memcpy((int*)p, b, 16); }\n"
        "void kept(int* p, int x) { int* q = p; q[2] = x; }\n"
        "int read(const int* p, int* q) { return *(p + 1) + q[1]; }\n"
    )
    sizes = {"p": 4}
    assert cpp(path, "moved", sizes=sizes)(9).tolist() == [0, 9, 0, 0]
    assert cpp(path, "cast", sizes=sizes)([1, 2, 3, 4]).tolist() == [2, 2, 3, 4]
    assert cpp(path, "kept", sizes=sizes)([1, 2, 3, 4], 7).tolist() == [1, 2, 7, 4]
    f = cpp(path, "read", sizes={"p": 2, "q": 2})
    assert [p.direction for p in f.signature.ports] == ["in", "in", "out"]
    assert f([1, 2], [3, 4]) == 6


def test_a_closed_header_is_named_with_the_remedy(tmp_path):
    path = tmp_path / "closed.cpp"
    path.write_text('#include "hls_task.h"\nint f(int x) { return x; }\n')
    with pytest.raises(CompileError, match="hls_task.h is not among the open headers: name its"):
        cpp(path, "f")
    (tmp_path / "vitis").mkdir()
    (tmp_path / "vitis" / "hls_task.h").write_text("// theirs\n")
    assert cpp(path, "f", include=[tmp_path / "vitis"])(3) == 3


def test_headers_of_a_source_are_read_and_not_ours(tmp_path):
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "ap_int.h").write_text("template <int W> struct ap_int { int v; };\n")
    path = tmp_path / "own.cpp"
    path.write_text('#include "ap_int.h"\nint f(int x) { ap_int<3> y; y.v = x; return y.v; }\n')
    with pytest.raises(CompileError, match="no member named 'v'"):
        cpp(path, "f")
    with pytest.raises(CompileError, match="ap_"):
        cpp(path, "f", include=[tmp_path / "types"])


def test_a_touched_header_makes_no_stale_prelude(monkeypatch, tmp_path):
    from harness.oracle import find_headers

    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    folder = shutil.copytree(find_headers().directory, tmp_path / "theirs")
    path = tmp_path / "f.cpp"
    for k in range(2):
        path.write_text(f'#include "ap_int.h"\nap_int<9> f(ap_int<8> x) {{ return x + {k}; }}\n')
        assert cpp(path, "f", headers=folder)(1) == 1 + k
        os.utime(folder / "ap_int.h", (k + 1, k + 1))
