"""RTL against the law for all inputs: ours, planted faults in it, and modules of a user's own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.prove.record import Outcome
from harness.prove.rtl import (
    Ports,
    RtlError,
    cast_claims,
    golden_rtl,
    prove_rtl,
    read_rtl,
    rtl_claim,
)
from harness.prove.rtl.yosys import run
from harness.prove.solve import Claim, decide
from harness.reference import fixed as reference
from harness.types import ApFixed, ApInt, Overflow, Rounding, parse_type

DESIGNS = Path(__file__).parent / "designs"
needs_ghdl = pytest.mark.skipif(
    not shutil.which("ghdl"), reason="ghdl is not installed: apt-get install ghdl"
)
SOURCE, TARGET = "ap_fixed<16,6>", "ap_fixed<8,4,AP_RND,AP_SAT>"
NIBBLE = "ap_uint<4>"
#: Both signs, a left shift, no shift, bits that are gone, one bit, and integer types.
SHAPES = (
    ("ap_fixed<16,6>", "ap_fixed<8,4>"),
    ("ap_ufixed<7,9>", "ap_fixed<5,1>"),
    ("ap_fixed<6,-2>", "ap_ufixed<4,3>"),
    ("ap_fixed<9,3>", "ap_fixed<12,8>"),
    ("ap_int<5>", "ap_fixed<1,1>"),
    ("ap_fixed<1,0>", "ap_fixed<3,9>"),
    ("ap_fixed<33,12>", "ap_fixed<20,10>"),
)
#: A fault of a few characters, and a cast that shows it.
FAULTS = {
    "tie": ("sticky || negative_source", "sticky", "ap_fixed<6,3,AP_RND_ZERO>"),
    "tie to even": ("floor[0]", "floor[1]", "ap_fixed<6,3,AP_RND_CONV>"),
    "highest": ("? LOWEST : HIGHEST;", "? LOWEST : HIGHEST - 1'b1;", "ap_fixed<4,2,AP_TRN,AP_SAT>"),
    "opposite": ("W == 1 ? ONE", "W == 1 ? ~ONE", "ap_fixed<1,1,AP_TRN,AP_SAT_SYM>"),
    "wrapped bit": ("code[BELOW_TOP] ==", "code[W-1] ==", "ap_fixed<5,2,AP_TRN,AP_WRAP_SM,2>"),
    "deleted bit": ("floor[W]", "rounded[W]", "ap_fixed<4,2,AP_RND,AP_WRAP_SM>"),
    "range": ("(|rounded[V-1:W])", "(|rounded[V-1:W+1])", "ap_ufixed<4,2,AP_TRN,AP_SAT_ZERO>"),
}


def every_mode(t: ApFixed) -> list[ApFixed]:
    """A type with all its modes, and N of none, one, two and all bits."""
    if isinstance(t, ApInt):
        return [t]
    found = []
    for q in Rounding:
        for o in Overflow:
            if o is Overflow.WRAP_SM and not t.signed:
                continue
            counts = {n for n in (0, 1, 2, t.width) if n <= t.width} if o.wraps else {0}
            found += [t.with_modes(rounding=q, overflow=o, n=n) for n in sorted(counts)]
    return found


def as_code(word: int, t: ApFixed) -> int:
    """A raw word as a code."""
    return word - (1 << t.width) if t.signed and word >> (t.width - 1) else word


def check_refuted(claim: Claim, source: ApFixed, port: str = "a") -> None:
    """The counterexample is one: its law is what the reference says, and the RTL says otherwise."""
    found = decide(claim)
    assert found.outcome is Outcome.REFUTED
    assert found.codes is not None
    target = parse_type(found.differs)
    code, (answer, right) = as_code(found.inputs[port], source), found.codes
    assert reference.cast(code, source, target) == as_code(right, target)
    assert answer != right


# Ours --------------------------------------------------------------------------------------------


def asked(shapes=SHAPES):
    """The shapes with all modes, and into integers."""
    pairs = [(ApFixed.parse(a), every_mode(ApFixed.parse(b))) for a, b in shapes]
    return [*pairs, (pairs[0][0], [ApInt(5)]), (ApFixed(5, 0), [ApInt(3), ApInt(2, False)])]


def test_systemverilog():
    """Every mode of every shape, in as few questions as there are shapes and roundings."""
    claims = list(cast_claims(asked()))
    assert sum(len(c.pairs) for c in claims) == sum(len(targets) for _, targets in asked())
    assert len(claims) == 7 * len(SHAPES) + 3
    for claim in claims:
        found = decide(claim)
        assert found.outcome is Outcome.PROVEN, found
        assert found.planted


@needs_ghdl
def test_vhdl():
    """The same of the VHDL, as GHDL synthesises it."""
    claims = list(cast_claims(asked(SHAPES[:4]), golden_rtl("vhd")))
    assert len(claims) == 7 * 4 + 3
    assert {decide(c).outcome for c in claims} == {Outcome.PROVEN}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_refuted(name, tmp_path):
    """Each with a counterexample that the reference confirms."""
    right, wrong, target = FAULTS[name]
    text = golden_rtl().read_text()
    assert text.count(right) == 1
    (tmp_path / "ap_quantize.sv").write_text(text.replace(right, wrong))
    source = ApFixed(8, 4)
    (claim,) = cast_claims([(source, [ApFixed.parse(target)])], tmp_path / "ap_quantize.sv")
    check_refuted(claim, source)


@needs_ghdl
def test_a_fault_of_the_vhdl_is_refuted(tmp_path):
    """A tie that is rounded the other way."""
    text = golden_rtl("vhd").read_text()
    wrong = text.replace("guard and (sticky or odd)", "guard")
    (tmp_path / "ap_quantize.vhd").write_text(wrong)
    source, target = ApFixed(8, 4), ApFixed.parse("ap_fixed<6,4,AP_RND_CONV>")
    (claim,) = cast_claims([(source, [target])], tmp_path / "ap_quantize.vhd")
    check_refuted(claim, source)


def test_x_in_ours_is_no_proof(tmp_path):
    """A bit that is x is not taken for the one that would be right."""
    text = golden_rtl().read_text().replace("O == SAT_ZERO            ? {W{1'b0}}", "O == 1 ? 'x")
    (tmp_path / "ap_quantize.sv").write_text(text)
    target = ApFixed.parse("ap_fixed<4,2,AP_TRN,AP_SAT_ZERO>")
    (claim,) = cast_claims([(ApFixed(8, 4), [target])], tmp_path / "ap_quantize.sv")
    assert decide(claim).outcome is Outcome.REFUTED


def test_what_is_no_cast():
    """Conversions that the headers leave undefined are refused, as is a design with an error."""
    with pytest.raises(ValueError, match="is undefined"):
        list(cast_claims([(ApFixed(8, -1), [ApInt(4)])]))


def test_a_design_with_an_error(tmp_path):
    """The error is yosys' or GHDL's, and the file is the user's."""
    path = tmp_path / "ap_quantize.sv"
    path.write_text(golden_rtl().read_text().replace("endmodule", "end"))
    with pytest.raises(RtlError, match=r"^ap_quantize\.sv:\d+: syntax error"):
        list(cast_claims([(ApFixed(8, 4), [ApFixed(4, 2)])], path))


# A user's own ------------------------------------------------------------------------------------


def test_a_combinational_cast():
    """Right as it is, and refuted with its fault."""
    design = DESIGNS.parent.parent / "cosim" / "designs" / "cast.sv"
    proof = prove_rtl(read_rtl(design, "cast"), SOURCE, TARGET, keep=True)
    assert proof.certificate.outcome is Outcome.PROVEN
    assert (proof.latency, proof.elsewhere, proof.ports.clock) == (0, None, None)
    assert (proof.ports.input, proof.ports.output) == ("x", "y")
    assert "check-sat" in proof.certificate.query
    wrong = read_rtl(design, "cast", parameters={"FAULT": 1})
    found = prove_rtl(wrong, SOURCE, TARGET).certificate
    source, target = ApFixed.parse(SOURCE), ApFixed.parse(TARGET)
    code = as_code(found.inputs["x"], source)
    assert found.codes is not None
    assert as_code(found.codes[1], target) == reference.cast(code, source, target)
    assert found.codes[0] == found.codes[1] - 1
    assert not prove_rtl(wrong, SOURCE, TARGET).left_open


def pipeline(**parameters):
    return read_rtl(DESIGNS / "pipeline.sv", "pipeline", parameters=parameters)


AWAKE = Ports(hold={"rst_n": 1, "en": 1})


@pytest.mark.parametrize("latency", [2, None])
def test_a_pipeline(latency):
    """Two steps, named or found, from any state and whatever comes at other steps."""
    proof = prove_rtl(pipeline(), SOURCE, TARGET, latency=latency, ports=AWAKE)
    assert proof.certificate.outcome is Outcome.PROVEN
    assert (proof.latency, proof.ports.clock) == (2, "clk")


def test_another_latency_is_told():
    """One step too few is refuted, and the right number is told."""
    proof = prove_rtl(pipeline(), SOURCE, TARGET, latency=1, ports=AWAKE)
    assert proof.certificate.outcome is Outcome.REFUTED
    assert (proof.latency, proof.elsewhere) == (1, 2)
    assert {"x", "x@1", "valid@0", "rounded@start"} <= proof.certificate.inputs.keys()


@pytest.mark.parametrize("latency", [2, None])
def test_a_bypass_shows_by_what_comes_later(latency):
    """If the value stays it is right; it saturates by the sign of the next one."""
    proof = prove_rtl(pipeline(BYPASS=1), SOURCE, TARGET, latency=latency, ports=AWAKE)
    assert proof.certificate.outcome is Outcome.REFUTED
    assert (proof.latency, proof.elsewhere) == (2, None)
    x, later = proof.certificate.inputs["x"], proof.certificate.inputs["x@1"]
    assert x >> 15 != later >> 15


def test_what_must_be_held():
    """A reset, an enable and a valid that may change are refuted; held, they are proven."""
    for hold in ({"rst_n": 1}, {"en": 1}):
        proof = prove_rtl(pipeline(), SOURCE, TARGET, latency=2, ports=Ports(hold=hold))
        assert proof.certificate.outcome is Outcome.REFUTED
    gated = pipeline(GATED=1)
    assert prove_rtl(gated, SOURCE, TARGET, latency=2, ports=AWAKE).elsewhere is None
    valid = Ports(hold={"rst_n": 1, "en": 1, "valid": 1})
    claim = rtl_claim(gated, SOURCE, TARGET, latency=2, ports=valid)
    assert decide(claim).outcome is Outcome.PROVEN


@needs_ghdl
def test_errors_of_vhdl(tmp_path):
    """GHDL's own words, with the user's file; an entity and a generic that are not there."""
    path = tmp_path / "bad.vhd"
    path.write_text("entity bad is port (x : in bit_vector(3 downto 0); end;\n")
    with pytest.raises(RtlError, match=r"bad\.vhd:1:\d+: "):
        read_rtl(path, "bad")
    own = golden_rtl("vhd")
    with pytest.raises(RtlError, match="^there is no entity cast in the sources$"):
        read_rtl(own, "cast")
    with pytest.raises(RtlError, match="^ap_quantize has no generic depth$"):
        read_rtl(own, "ap_quantize", parameters={"DEPTH": 3})


def test_without_ghdl(monkeypatch):
    """Its absence is a line that says what to install."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RtlError, match="^ghdl is not installed; to install it: apt-get"):
        read_rtl(golden_rtl("vhd"), "ap_quantize")


@needs_ghdl
def test_a_pipeline_in_vhdl(tmp_path):
    """Ports by any case, generics, and one latency."""
    path = tmp_path / "Cast.vhd"
    path.write_text(
        "library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;\n"
        "entity Cast is generic (STAGES : positive := 3);\n"
        "  port (CLK, RST : in std_logic; X : in signed(7 downto 0); Y : out signed(3 downto 0));\n"
        "end; architecture rtl of Cast is\n"
        "  type line_t is array (1 to STAGES) of signed(3 downto 0); signal line_r : line_t;\n"
        "begin process (CLK) begin if rising_edge(CLK) then\n"
        "  line_r(1) <= resize(shift_right(X, 4), 4);\n"
        "  for k in 2 to STAGES loop line_r(k) <= line_r(k - 1); end loop;\n"
        "  if RST then line_r <= (others => (others => '0')); end if;\n"
        "end if; end process; Y <= line_r(STAGES); end;\n"
    )
    for stages in (3, 2):
        module = read_rtl(path, "Cast", parameters={"STAGES": stages})
        ports = Ports(clock="CLK", hold={"RST": 0})
        types = ("ap_fixed<8,4>", "ap_fixed<4,4>")
        proof = prove_rtl(module, *types, latency=3, ports=ports)
        assert (proof.certificate.outcome is Outcome.PROVEN) == (stages == 3)
        assert proof.elsewhere == (None if stages == 3 else 2)
        assert proof.simulated == (259 if stages == 3 else 0)


SLICED = """
library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all;
entity sliced is generic (AT : natural := 5);
  port (x : in unsigned(3 downto 0); y : out std_ulogic_vector(3 downto 0)); end;
architecture rtl of sliced is begin
  process (all) variable v : unsigned(3 downto 0); begin
    v := "0110";
    if x /= AT then v(1 downto 0) := x(1 downto 0); end if;
    v(3 downto 2) := x(3 downto 2);
    y <= std_ulogic_vector(v);
  end process;
end;
"""


@needs_ghdl
@pytest.mark.parametrize("at", [5, 6])
def test_what_ghdl_synthesises_wrongly_is_neither_proven_nor_refuted(at, tmp_path):
    """The synthesis of GHDL 2 keeps 01, not 10: right by mistake at 5, and wrong at 6."""
    (tmp_path / "sliced.vhd").write_text(SLICED)
    module = read_rtl(tmp_path / "sliced.vhd", "sliced", parameters={"AT": at})
    asked = ["ghdl", "--version"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    if version.startswith("GHDL 2."):
        told = f"GHDL synthesises sliced .* of x = {at:#x} .*; nothing is proven"
        with pytest.raises(RtlError, match=told):
            prove_rtl(module, NIBBLE, NIBBLE)
    else:
        right = prove_rtl(module, NIBBLE, NIBBLE).certificate.outcome is Outcome.PROVEN
        assert right == (at == 6)


IDENTITY = re.findall(r"^module (\w+)", (DESIGNS / "identity.sv").read_text(), re.M)


@pytest.mark.parametrize("name", IDENTITY)
def test_what_is_no_number_is_any(name):
    """x, z, no driver, past the end, by zero: refuted wherever it can be seen, proven elsewhere."""
    module = read_rtl(DESIGNS / "identity.sv", name)
    proof = prove_rtl(module, NIBBLE, NIBBLE)
    fair = name.startswith("fair_")
    assert proof.certificate.outcome is (Outcome.PROVEN if fair else Outcome.REFUTED)
    assert proof.left_open == (not fair and name != "flip")


REFUSED = {
    "y is a latch (bad.sv:2)": "always_comb if (x[0]) y = x;",
    "y is a latch (bad.sv:3)": "\nalways @* if (x[0]) y = x;",
    "m is a memory, which is not carried": "logic [3:0] m[4]; always_ff @(posedge c) m[x] <= x;"
    "assign y = m[x[1:0]];",
    "one clock is carried, and these are two: posedge c (bad.sv:2), posedge d (bad.sv:2)": "logic"
    " [3:0] q; always_ff @(posedge c) q <= x; always_ff @(posedge d) y <= q;",
    "one clock is carried, and these are two: negedge c (bad.sv:2), posedge c (bad.sv:2)": "logic"
    " [3:0] q; always_ff @(posedge c) q <= x; always_ff @(negedge c) y <= q;",
    "the clock is no input of one bit: posedge e (bad.sv:2)": "wire e = c & d;"
    " always_ff @(posedge e) y <= x;",
    "found logic loop in module bad": "wire [3:0] w = y & x; assign y = w ^ x;",
    "multiple conflicting drivers for": "assign y = x; assign y = 4'd3;",
    "multiple conflicting drivers for y": "assign y = 4'd2; assign y = 4'd3;",
    "bad.sv:2: syntax error, unexpected ';'": "assign y = x + ;",
    "Module other referenced in module bad in cell o is not part": "other o(x, y);",
    "z is an inout, which is not carried": "assign z = x; assign y = x;",
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_would_not_be_proven_rightly(message, tmp_path):
    """One line that says what and where, in the user's names."""
    path = tmp_path / "bad.sv"
    ports = "input c, input d, input [3:0] x, output logic [3:0] y"
    ports += ", inout [3:0] z" if "inout" in message else ""
    path.write_text(f"module bad({ports});\n{REFUSED[message]}\nendmodule\n")
    with pytest.raises(RtlError) as found:
        prove_rtl(read_rtl(path, "bad"), NIBBLE, NIBBLE, latency=None)
    text = str(found.value).replace(str(tmp_path) + "/", "")
    assert text.startswith(message)
    assert "\n" not in text


def test_one_edge_is_as_good_as_the_other(tmp_path):
    """Registers that all listen to the falling edge."""
    path = tmp_path / "fall.sv"
    path.write_text(
        "module fall(input c, input [3:0] x, output logic [3:0] y);\n"
        "always_ff @(negedge c) y <= x;\nendmodule\n"
    )
    assert prove_rtl(read_rtl(path, "fall"), NIBBLE, NIBBLE, latency=None).latency == 1


def test_ports_and_files():
    """What is missing or does not fit is told, with what there is."""

    def told(ports=None, source=SOURCE, target=TARGET, latency=2) -> str:
        with pytest.raises(ValueError, match=".") as found:
            prove_rtl(module, source, target, latency=latency, ports=ports)
        return str(found.value)

    module = pipeline()
    inputs = "clk, rst_n, en, valid, x"
    assert told(Ports(input="z")) == f"pipeline has no input z: {inputs}"
    assert told(Ports(hold={"rst": 1})).endswith(f"no input rst: {inputs}; nearest: rst_n")
    assert told(Ports(hold={"en": 2})) == "en has 1 bit, which cannot hold 2"
    assert told(Ports(clock="en")) == "the clock is clk, not en"
    assert told(Ports(input="clk")).startswith("clk is held, or the clock")
    assert told(Ports(input="en")) == f"no input has the 16 bits of {SOURCE}: en has 1 bit"
    assert told(target="ap_int<9>") == "no output has the 9 bits of ap_int<9>: y has 8 bits"
    assert told(source="ap_uint<1>").startswith("several inputs have the 1 bit of ap_uint<1>")
    assert told(latency=-1) == "the latency must be 0 or more, not -1"
    assert "is undefined" in told(source="ap_fixed<16,-1>", target="ap_int<8>")
    with pytest.raises(RtlError, match=r"^there is no file gone\.sv$"):
        read_rtl("gone.sv", "cast")
    with pytest.raises(RtlError, match=r"^there is no module cast in the sources: pipeline$"):
        read_rtl(DESIGNS / "pipeline.sv", "cast")
    with pytest.raises(RtlError, match=r"^pipeline has no parameter DEPTH$"):
        pipeline(DEPTH=3)
    with pytest.raises(RtlError, match=r"^'a;b' is no name of a module$"):
        read_rtl(DESIGNS / "pipeline.sv", "a;b")
    with pytest.raises(RtlError, match="^Verilog and VHDL together are not carried"):
        read_rtl([DESIGNS / "pipeline.sv", golden_rtl("vhd")], "pipeline")


def test_includes_and_macros(tmp_path):
    """Files with spaces in their names, folders, and macros with values."""
    folder = tmp_path / "my headers"
    folder.mkdir()
    (folder / "flip.vh").write_text("`define FLIP(a) (a ^ `MASK)\n")
    path = tmp_path / "my cast.sv"
    path.write_text(
        '`include "flip.vh"\nmodule cast(input [3:0] x, output [3:0] y);\n'
        "assign y = `FLIP(`FLIP(x)) ^ `ZERO;\nendmodule\n"
    )
    module = read_rtl(path, "cast", include=[folder], defines=["MASK=4'd5", "ZERO=4'd0"])
    assert prove_rtl(module, NIBBLE, NIBBLE).certificate.outcome is Outcome.PROVEN


def test_a_question_that_takes_too_long_is_undecided():
    """A product of two ways has no quick proof; what is not proven is not said to be."""
    claim = rtl_claim(read_rtl(DESIGNS / "product.sv", "product"), "ap_uint<24>", "ap_uint<24>")
    assert decide(claim, 0.2).outcome is Outcome.UNDECIDED


def test_yosys_does_not_hang_or_speak(tmp_path, capfd):
    """A limit of time, an error without a word of its log, and nothing on the terminal."""
    with pytest.raises(RtlError, match=r"^yosys was not done after 0\.2 s$"):
        run(["exec -- sleep 20"], tmp_path, seconds=0.2)
    with pytest.raises(RtlError, match="nonsense"):
        run(["nonsense"], tmp_path, quiet=True)
    assert capfd.readouterr() == ("", "")
