"""A hardware module that is called like a function: protocols, planted faults, unknowns, waves."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from harness.cosim import CompileError, CosimError, RunError, SignatureError, rtl
from harness.cosim.hdl.arguments import Asked
from harness.cosim.hdl.layout import laid_out
from harness.cosim.hdl.ports import Wire
from harness.quantize import cast_codes
from harness.types import ApFixed, ApInt

DESIGNS = Path(__file__).parent / "designs"
pytestmark = pytest.mark.skipif(
    not shutil.which("verilator"), reason="verilator is not installed: apt-get install verilator"
)
needs_ghdl = pytest.mark.skipif(
    not shutil.which("ghdl"), reason="ghdl is not installed: apt-get install ghdl"
)
SOURCE, TARGET = ApFixed.parse("ap_fixed<16,6>"), ApFixed.parse("ap_fixed<8,4,AP_RND,AP_SAT>")
CAST = {"x": SOURCE, "y": TARGET}
EVERY = np.arange(-(1 << 15), 1 << 15)
RNG = np.random.default_rng(14)


def fir_model(x: np.ndarray) -> np.ndarray:
    """What fir.v and fir.vhd compute."""
    x = np.concatenate([[0, 0, 0], x])
    return 3 * x[3:] - 5 * x[2:-1] + 7 * x[1:-2] + 2 * x[:-3]


def scale_model(a: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What scale.v computes."""
    y = (a * k[:, None] >> 4).astype(np.int8).astype(np.int64)
    return y, y.sum(1), (y < 0).sum(1)


def scale(**more):
    """scale.v with the types of its arguments."""
    types = {"a": "ap_fixed<8,4>[5]", "k": "ap_fixed<8,4>", "y": "ap_fixed<8,4>[5]"}
    types |= {"sum": "ap_fixed<16,12>"}
    return rtl(DESIGNS / "scale.v", "scale", types=types, **more)


def test_combinational():
    """Every code, as values and as codes, is what the quantizer says."""
    cast = rtl(DESIGNS / "cast.sv", "cast", types=CAST)
    assert (
        str(cast.signature) == "cast\n  in x: ap_fixed<16,6>\n  out y: ap_fixed<8,4,AP_RND,AP_SAT>"
    )
    assert cast(1.53125) == 1.5625
    assert (cast.codes.batch(EVERY) == cast_codes(EVERY, SOURCE, TARGET)).all()


def test_a_fault_of_one_bit_is_found():
    """The planted fault shows for ties below zero alone."""
    cast = rtl(DESIGNS / "cast.sv", "cast", types=CAST, parameters={"FAULT": 1})
    wrong = EVERY[cast.codes.batch(EVERY) != cast_codes(EVERY, SOURCE, TARGET)]
    assert len(wrong) > 0
    assert (wrong < 0).all()
    assert (wrong % 64 == 32).all()


@pytest.mark.parametrize(
    "source", ["fir.v", pytest.param("fir.vhd", marks=needs_ghdl)], ids=["Verilog", "VHDL"]
)
def test_pipeline(source):
    """A sequence of calls, however it is cut into batches, is one of the clock's cycles."""
    fir = rtl(DESIGNS / source, "fir", latency=2, types={"x": "ap_fixed<12,2>"})
    assert fir.signature.ports[1].type == ApInt(18)
    x = RNG.integers(-2048, 2048, 1000)
    parts = [fir.codes.batch(x[:500]), [fir.codes(c) for c in x[500:510]], fir.codes.batch(x[510:])]
    assert np.concatenate(parts).tolist() == fir_model(x).tolist()
    fir.reset()
    assert fir.codes.batch(x).tolist() == fir_model(x).tolist()


def test_unknown_is_an_error():
    """A register without a value that reaches an output is found, and can be left alone."""
    options = {"latency": 2, "parameters": {"LEAVE": 1}}
    with pytest.raises(RunError, match=r"fir .*y\[0\] depends on an unknown \(X\)") as found:
        rtl(DESIGNS / "fir.v", "fir", **options).batch([1, 2, 3])
    assert found.value.call == 0
    left = rtl(DESIGNS / "fir.v", "fir", **options, unknowns=False).batch([0, 0, 0])
    assert left.tolist() == [1, 0, 1]


UNKNOWNS = """
module undriven(input [7:0] a, output [7:0] y); wire [7:0] q; assign y = a + q; endmodule
module pin(input [7:0] a, output [7:0] y); undriven u(.y(y)); endmodule
module index(input [1:0] a, output y); wire [2:0] v = 3'b101; assign y = v[a]; endmodule
module state(input clk, input [7:0] x, output reg [7:0] y);
  reg [7:0] s;
  initial s = 0;
  always @(posedge clk) begin s <= s + x; y <= s + x; end
endmodule
"""


def test_kinds_of_unknowns(tmp_path):
    """Wires and pins without a driver, an index out of range; an initial value is a value."""
    path = tmp_path / "unknowns.v"
    path.write_text(UNKNOWNS)
    for top, given in [("pin", 1), ("index", 3)]:
        with pytest.raises(RunError, match="depends on an unknown"):
            rtl(path, top)(given)
    assert rtl(path, "index")(2) == 1
    assert rtl(path, "state", latency=1).batch([1, 2, 3]).tolist() == [1, 3, 6]


@needs_ghdl
def test_unknowns_of_vhdl(tmp_path):
    """A signal without a value; ports in a list are all signed."""
    path = tmp_path / "un.vhd"
    path.write_text(
        "library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;\n"
        "entity un is port (clk : in std_logic; x, z : in signed(7 downto 0);\n"
        "  y : out signed(7 downto 0)); end;\n"
        "architecture a of un is signal t : std_logic; begin\n"
        "  process (clk) begin if rising_edge(clk) then t <= not t;\n"
        "  if t = '1' then y <= x; else y <= z; end if; end if; end process; end;\n"
    )
    f = rtl(path, "un", latency=1)
    assert [p.type for p in f.signature.ports] == [ApInt(8)] * 3
    with pytest.raises(RunError, match=r"y\[\d\] depends on an unknown"):
        f(1, 2)
    assert f(3, 3) == 3


SIGNED = """
library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;
entity ops is port (a, b : in signed(4 downto 0); n : in unsigned(2 downto 0);
  sra_n, sra_2, quotient, remainder, modulo, absolute, low, high, least
  : out signed(4 downto 0)); end;
architecture rtl of ops is begin
  sra_n <= shift_right(a, to_integer(n));  sra_2 <= shift_right(a, 2);
  quotient <= a / b;  remainder <= a rem b;  modulo <= a mod b;
  absolute <= abs a;  low <= minimum(a, b);  high <= maximum(a, b);
  least <= minimum(a, to_signed(-3, 5));
end;
"""


@needs_ghdl
def test_signed_operators_of_vhdl(tmp_path):
    """What numeric_std says of signed numbers, which GHDL's Verilog does not say by itself."""
    (tmp_path / "ops.vhd").write_text(SIGNED)
    ops = rtl(tmp_path / "ops.vhd", "ops")
    codes = range(-16, 16)
    cases = [
        (a, b, n) for a in codes for b in codes for n in (0, 3, 7) if b and (a, b) != (-16, -1)
    ]
    a, b, n = np.array(cases).T
    least = np.minimum(a, -3)
    quotient = np.trunc(a / b).astype(int)
    expected = [a >> n, a >> 2, quotient, a - quotient * b, a % b]
    expected += [(np.abs(a) + 16) % 32 - 16, np.minimum(a, b), np.maximum(a, b), least]
    assert [y.tolist() for y in ops.batch(a, b, n)] == [y.tolist() for y in expected]


CHOICES = """
library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;
entity choices is port (a, b : in unsigned(3 downto 0); y, z, w : out unsigned(3 downto 0)); end;
architecture rtl of choices is begin
  process (all) begin
    case a is
      when "0000" => y <= "0001";  when "0001" | "0111" => y <= "0011";  when others => y <= b;
    end case;
    w <= not b;
    case b is when "0010" => w(1 downto 0) <= a(1 downto 0);  when others => null; end case;
    w(to_integer(b(1 downto 0))) <= a(to_integer(b(2 downto 1)));
  end process;
  with b select z <= a when "0100", "1001" when others;
end;
"""


@needs_ghdl
def test_others_of_vhdl(tmp_path):
    """What is chosen by others, which GHDL's Verilog leaves out, and by an index."""
    (tmp_path / "choices.vhd").write_text(CHOICES)
    a, b = (x.ravel() for x in np.mgrid[0:16, 0:16])
    y = np.where(a == 0, 1, np.where((a == 1) | (a == 7), 3, b))
    w = np.where(b == 2, 12 | a & 3, ~b & 15)
    place, bit = b & 3, a >> (b >> 1 & 3) & 1
    expected = [y, np.where(b == 4, a, 9), w & ~(1 << place) | bit << place]
    answers = rtl(tmp_path / "choices.vhd", "choices").batch(a, b)
    assert [found.tolist() for found in answers] == [right.tolist() for right in expected]


def test_without_verilator(monkeypatch):
    """Its absence is a line that says what to install."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CosimError, match="verilator is not installed; to install it: apt-get"):
        rtl(DESIGNS / "cast.sv", "cast")


def test_ap_ctrl_hs():
    """Memories, scalars with and without valid, and what is returned."""
    f = scale()
    assert [p.name for p in f.signature.outputs] == ["result", "y", "sum"]
    one = f([1, 2, -3, 4, 0.5], 2)
    assert (one.result, one.y.tolist(), one.sum) == (2, [2, 4, -6, -8, 1], -7)
    a, k = RNG.integers(-128, 128, (300, 5)), RNG.integers(-128, 128, 300)
    found = f.codes.batch(a, k)
    for got, expected in zip((found.y, found.sum, found.result), scale_model(a, k), strict=True):
        assert (got == expected).all()


def test_what_goes_in_and_comes_out():
    """An array in place through two ports of its memory, a scalar both ways, one by handshake."""
    types = {"a": "ap_fixed<16,6>[2][4]", "p": "ap_int<8>", "q": "ap_int<8>"}
    f = rtl(DESIGNS / "swap.v", "swap", types=types)
    assert [p.direction for p in f.signature.ports] == ["inout", "inout", "in"]
    a, (p, q) = RNG.integers(-(1 << 15), 1 << 15, (50, 2, 4)), RNG.integers(-64, 64, (2, 50))
    found = f.codes.batch(a, p, q)
    assert (found.a == a[:, ::-1, ::-1]).all()
    assert (found.p == p + q).all()


def test_a_hang_is_found():
    """The call that does not end is named, and the next call begins anew."""
    f = scale(parameters={"HANG": 1}, cycles=30)
    ones = np.ones((3, 5), int)
    with pytest.raises(RunError, match="scale does not finish within 30 cycles, in call 1 of 3"):
        f.codes.batch(ones, [1, -1, 1])
    assert f.codes.batch(ones, [16, 32, 48]).y.tolist() == [[1] * 5, [2] * 5, [3] * 5]


def test_a_wild_write_is_found():
    """An address that the array has not."""
    with pytest.raises(RunError, match=r"writes y\[5\], which has 5 elements"):
        scale(parameters={"WILD": 1})([1] * 5, 1)


@pytest.mark.parametrize("stalls", [0, 7])
def test_handshake(stalls):
    """A call is a transfer on each channel, at full speed and with pauses."""
    pipe = rtl(DESIGNS / "pipe.sv", "pipe", stalls=stalls)
    a, b = RNG.integers(0, 256, (2, 500))
    assert (pipe.batch(a, b) == (a + b) * a).all()
    assert pipe(3, 4) == 21


def test_handshake_faults():
    """A word that is lost under back pressure, and data that is used while it is not valid."""
    a, b = RNG.integers(0, 256, (2, 500))
    losing = rtl(DESIGNS / "pipe.sv", "pipe", stalls=7, parameters={"LOSE": 1}, cycles=50)
    with pytest.raises(RunError, match="does not finish within 50 cycles; y does not come"):
        losing.batch(a, b)
    eager = rtl(DESIGNS / "pipe.sv", "pipe", stalls=7, parameters={"OPEN": 1})
    with pytest.raises(RunError, match="depends on an unknown"):
        eager.batch(a, b)


def test_streams():
    """AXI-stream without control ends with TLAST; the bits above the type are the port's own."""
    f = rtl(DESIGNS / "stream.v", "running", types={"x": "ap_fixed<12,4>"}, stalls=3)
    x = RNG.integers(-2048, 2048, (20, 30))
    assert (f.codes.batch(x).astype(np.int32) == np.cumsum(x, 1) % (1 << 24)).all()


def test_fifos():
    """ap_fifo under ap_ctrl_hs: a call writes as many values as it likes, and reads all."""
    f = rtl(DESIGNS / "stream.v", "pairs")
    assert f(4, [1, 2, 3, 4]).tolist() == [3, 7]
    with pytest.raises(RunError, match="pairs leaves 1 values of the stream x unread"):
        f(4, [1, 2, 3, 4, 5])


def test_waves(tmp_path):
    """One call's waveforms, also of a call that fails."""
    f = scale(parameters={"HANG": 1}, cycles=30)
    assert f.trace([1, 0, 0, 0, 0], 1, path=tmp_path / "good.vcd").sum == 1
    with pytest.raises(RunError, match="does not finish"):
        f.trace([0] * 5, -1 / 16, path=tmp_path / "case.vcd")
    for name in ("good.vcd", "case.vcd"):
        text = (tmp_path / name).read_text()
        assert " negative [31:0] $end" in text
        assert "#100\n" in text
    with pytest.raises(CosimError, match=r"written as .vcd or .fst, not to case.png"):
        f.trace([0] * 5, 0, path=tmp_path / "case.png")


PLAIN = """
module plain(input p_t s, input signed [99:0] wide, input signed [7:0] v [1:0][0:2],
             input [15:0] flat,
             output signed [99:0] \\name , output [15:0] turned, output [7:0] o [2:0]);
  assign \\name = wide - 1;
  assign turned = {flat[7:0], flat[15:8]};
  assign o[0] = v[0][0]; assign o[1] = v[1][2]; assign o[2] = {s.a, s.b};
endmodule
"""


def test_forms_of_ports(tmp_path):
    """Structs, wide words, unpacked arrays, and an array in a vector, the first element lowest."""
    (tmp_path / "p.svh").write_text("typedef struct packed {logic [3:0] a; logic [3:0] b;} p_t;\n")
    (tmp_path / "plain.sv").write_text('`include "p.svh"' + PLAIN)
    f = rtl(
        tmp_path / "plain.sv", "plain", types={"flat": "ap_int<8>[2]", "turned": "ap_int<8>[2]"}
    )
    v = [[1, 2, 3], [4, 5, 6]]
    found = f(0x21, -(1 << 99) + 1, v, [-1, 2])
    assert (found.name, found.turned.tolist(), found.o.tolist()) == (
        -(1 << 99),
        [2, -1],
        [1, 6, 33],
    )
    (tmp_path / "p.svh").write_text("typedef struct packed {logic [3:0] b; logic [3:0] a;} p_t;\n")
    again = rtl(tmp_path / "plain.sv", "plain")
    assert again(0x21, 0, v, 0).o.tolist() == [1, 6, 0x12]  # an included file counts, too


def test_partitioned_arrays(tmp_path):
    """A port for each element, as Vitis partitions an array."""
    path = tmp_path / "turn.v"
    ports = ", ".join(f"input [7:0] x_{k}, output [7:0] y_{k}" for k in range(3))
    body = " ".join(f"assign y_{k} = x_{2 - k};" for k in range(3))
    path.write_text(f"module turn({ports}); {body} endmodule\n")
    f = rtl(path, "turn", types={"x": "ap_fixed<8,4>[3]", "y": "ap_fixed<8,4>[3]"})
    assert [str(p) for p in f.signature.ports] == [
        "in x: ap_fixed<8,4>[3]",
        "out y: ap_fixed<8,4>[3]",
    ]
    assert f([1, 2, -3]).tolist() == [-3, 2, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": "cats"}, "there is no module cats in the sources: cast; nearest: cast"),
        ({"types": {"x": "ap_fixed<12,6>"}}, "x has 16 bits, and ap_fixed<12,6> has 12"),
        ({"types": {"z": "ap_fixed<12,6>"}}, "there is no argument z: x, y"),
        ({"parameters": {"Q": 1}}, "cast has no parameter Q"),
        ({"clock": "clk"}, "cast has no clock clk: x, y"),
        ({"protocol": "handshak"}, "no protocol 'handshak': .*; nearest: handshake"),
        ({"latency": 1}, "latency= is of the protocol pipeline, not of combinational"),
        ({"latency": -1}, "latency is -1; it is at least 0"),
    ],
    ids=["top", "width", "argument", "parameter", "clock", "protocol", "latency", "negative"],
)
def test_refused(options, message):
    """What does not fit is one line that says what does."""
    with pytest.raises(SignatureError, match=message) as found:
        rtl(DESIGNS / "cast.sv", **{"top": "cast", **options})
    assert "\n" not in str(found.value)


def test_errors_of_the_source(tmp_path):
    """The first line that is wrong."""
    bad = tmp_path / "bad.sv"
    bad.write_text("module bad(input a, output y);\n  assign y = a +;\nendmodule\n")
    with pytest.raises(CompileError, match=r"bad\.sv:2:17: syntax error, unexpected ';'"):
        rtl(bad, "bad")


@needs_ghdl
def test_errors_of_vhdl(tmp_path):
    """The same of VHDL."""
    bad = tmp_path / "bad.vhd"
    bad.write_text(
        "entity e is port (y : out bit); end;\narchitecture a of e is begin y <= ; end;\n"
    )
    with pytest.raises(CompileError, match=r"bad\.vhd:2:"):
        rtl(bad, "e")
    with pytest.raises(SignatureError, match="there is no entity firr in the sources"):
        rtl(DESIGNS / "fir.vhd", "firr")
    with pytest.raises(SignatureError, match="Verilog and VHDL together"):
        rtl([DESIGNS / "fir.vhd", DESIGNS / "fir.v"], "fir")


def test_the_design_may_end_a_call(tmp_path):
    """$finish and assertions come back as errors with their line; the design runs on."""
    path = tmp_path / "ends.sv"
    path.write_text(
        "module ends(input clk, input [3:0] x, output logic [3:0] y);\n"
        "  always @(posedge clk) begin\n    y <= x;\n    if (x == 5) $finish;\n"
        "    assert (x != 7);\n"
        "  end\nendmodule\n"
    )
    f = rtl(path, "ends", latency=1)
    with pytest.raises(RunError, match=r"calls \$finish at ends.sv:4, in call 2 of 3"):
        f.batch([1, 2, 5])
    with pytest.raises(RunError, match=r"fails an assertion .* at ends.sv:5, in call 0 of 2"):
        f.batch([7, 2])
    assert f.batch([1, 2]).tolist() == [1, 2]


def test_detection():
    """Ports are told by their names: what is what, without a simulator."""

    def layout(*names, **asked):
        wires = [Wire(n.lstrip("<"), "output" if n[0] == "<" else "input", w) for n, w in names]
        return laid_out("dut", wires, Asked(**asked))

    clocked = [("clk", 1), ("rst_n", 1)]
    vivid = layout(
        *clocked, ("s_axis_tvalid", 1), ("<s_axis_tready", 1), ("s_axis_tdata", 8),
        ("<m_axis_tvalid", 1), ("m_axis_tready", 1), ("<m_axis_tdata", 8), sizes={"m_axis": 1},
    )  # fmt: skip
    assert (vivid.protocol, vivid.reset_low) == ("stream", True)
    assert [p.kind for p in vivid.parts] == ["stream_in", "stream_out"]
    two = layout(
        *clocked, ("a_valid", 1), ("<a_ready", 1), ("a", 8),
        ("b_vld", 1), ("<b_rdy", 1), ("b_x", 8), ("<valid_out", 1), ("<y", 8),
    )  # fmt: skip
    assert two.protocol == "handshake"
    assert [p.pins.get("valid") for p in two.parts] == ["a_valid", "b_vld", "valid_out"]
    assert [p.pins.get("ready") for p in two.parts] == ["a_ready", "b_rdy", None]
    control = [("ap_clk", 1), ("ap_rst", 1), ("ap_start", 1), ("<ap_done", 1), ("<ap_ready", 1)]
    hs = layout(
        *control,
        ("p_i", 8),
        ("<p_o", 8),
        ("<p_o_ap_vld", 1),
        ("q", 8),
        ("<q_ap_ack", 1),
        ("q_ap_vld", 1),
    )
    assert [str(p) for p in hs.signature.ports] == ["inout p: logic [7:0]", "in q: logic [7:0]"]
    for names, message in [
        ([*clocked, ("x", 8), ("<y", 8)], "dut has a clock: say latency=N"),
        ([("x", 8)], "dut has no output"),
        ([*control, ("<m_axi_gmem_AWADDR", 32)], "AXI bus with addresses"),
        ([*control, ("<x_address0", 3), ("<x_ce0", 1), ("x_q0", 8)], "array of up to 8 elements"),
    ]:
        with pytest.raises(SignatureError, match=message):
            layout(*names)


def test_speed():
    """At least 10^5 calls a second, unknowns looked for; a quiet core makes 50 times that."""
    fir = rtl(DESIGNS / "fir.v", "fir", latency=2, types={"x": "ap_fixed<12,2>"})
    x = RNG.integers(-2048, 2048, 100_000)
    fir.codes.batch(x[:1])
    begun = time.perf_counter()
    fir.codes.batch(x)
    assert time.perf_counter() - begun < 1
