"""The testbench of a difference: Icarus, which knows nothing of ours, prints the RTL's codes."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.cosim import RunError, compare, rtl
from harness.cosim.hdl.testbench import testbench as written
from harness.cosim.reproduce import write_reproducers
from harness.cosim.sides import as_side

DESIGNS = Path(__file__).parent / "designs"
EXAMPLE = Path(__file__).parents[2] / "harness" / "cosim" / "example" / "fir.v.txt"
pytestmark = [
    pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed: {remedy}")
    for tool, remedy in (
        ("verilator", "apt-get install verilator"),
        ("iverilog", "apt-get install iverilog"),
    )
]
RNG = np.random.default_rng(15)


def run(path):
    """What the command in the testbench's second line prints."""
    command = path.read_text().splitlines()[1].removeprefix("// ")
    done = subprocess.run(
        command, shell=True, check=False, cwd=path.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed(text):
    """Codes by output, call and place: ``call 3: y[2] = 5``."""
    lines = re.findall(r"^call (\d+): (\w+)(\S*) = (-?\w+)$", text, re.M)
    return {(name, int(k), place): code for k, name, place, code in lines}


def codes_of(outputs):
    """The same of recorded outputs."""
    return {
        (name, k, "".join(f"[{i}]" for i in index)): str(codes[(k, *index)])
        for name, codes in ((n, np.asarray(c, object)) for n, c in outputs.items())
        for k in range(len(codes))
        for index in np.ndindex(codes.shape[1:])
    }


def bench(f, path, *inputs):
    """Run a testbench of calls, and hold what it prints against what ``f`` gives."""
    found = f.codes.batch(*inputs)
    names = [p.name for p in f.signature.outputs]
    outputs = dict(zip(names, found if len(names) > 1 else [found], strict=True))
    given = {p.name: c for p, c in zip(f.signature.inputs, inputs, strict=True)}
    path.write_text(written(f.question, len(inputs[0]), given, outputs, path.name))
    text = run(path)
    assert printed(text) == codes_of(outputs)
    assert text.splitlines()[-1].startswith("as expected")


def differing(model, f, folder, **more):
    """The testbench of the first difference between a model and RTL, run."""
    found = compare(model, f, **more)
    assert not found.agrees
    names = [path.name for path in write_reproducers(found, (as_side(model), as_side(f)), folder)]
    assert names == ["waves_b.vcd", "tb_b.sv", "calls_b.json"]
    text = run(folder / "tb_b.sv")
    calls = json.loads((folder / "calls_b.json").read_text())
    assert printed(text) == codes_of(calls["outputs"])
    assert "\nas expected" in text


def test_combinational_with_an_array_of_ports(tmp_path):
    """A planted fault in the filter of the example, whose taps have a port each."""
    source = tmp_path / "fir.v"
    source.write_text(EXAMPLE.read_text().replace("21'sd16)", "21'sd15)"))
    types = {"window": "ap_fixed<12,4>[4]", "result": "ap_fixed<14,5>"}

    def right(window):
        total = np.floor(np.dot([0.125, 0.5, 0.25, -0.0625], window) * 2**14) / 2**14
        return np.clip(np.floor(total * 512 + 0.5) / 512, -16, 8191 / 512)

    differing(right, rtl(source, "fir", types=types), tmp_path)


def test_a_parameter_is_given(tmp_path):
    """The fault that a parameter plants is there."""
    f = rtl(DESIGNS / "cast.sv", "cast", parameters={"FAULT": 1})
    bench(f, tmp_path / "tb.sv", np.array([-32, 32, -96, -(1 << 15), (1 << 15) - 1]))


def test_pipeline(tmp_path):
    """The state of the calls before is there, and reset begins it."""

    class Fir:
        def reset(self):
            self.line = [0] * 4

        def __call__(self, x):
            self.line = [x, *self.line[:3]]
            return int(np.dot([3, -5, 7, 3], self.line))  # 3: the fault

    differing(Fir(), rtl(DESIGNS / "fir.v", "fir", latency=2), tmp_path)


@pytest.mark.parametrize("stalls", [0, 7])
def test_handshake(stalls, tmp_path):
    """A transfer on each channel, with the pauses that were asked for."""
    f = rtl(DESIGNS / "pipe.sv", "pipe", stalls=stalls)
    bench(f, tmp_path / "tb.sv", *RNG.integers(0, 256, (2, 50)))
    if not stalls:
        differing(lambda a, b: (a + b) * a + (a > 9), f, tmp_path)


def test_what_does_not_come_back(tmp_path):
    """A word that is lost under these very pauses; an X that other simulators show."""
    a, b = RNG.integers(0, 256, (2, 50))
    for fault, message in (("LOSE", "does not finish within 50 cycles"), ("OPEN", "y = x")):
        options = {"stalls": 7, "cycles": 50, "parameters": {fault: 1}}
        f = rtl(DESIGNS / "pipe.sv", "pipe", **options)
        with pytest.raises(RunError) as found:
            f.codes.batch(a, b)
        path = tmp_path / "tb.sv"
        path.write_text(written(f.question, 50, {"a": a, "b": b}, None, path.name))
        assert f"call {found.value.call}: {message}" in run(path)


FORMS = """
module forms(input clk, input ce, input [15:0] flat, input signed [99:0] wide,
             output reg [15:0] turned, output reg signed [99:0] less);
  always @(posedge clk) if (ce) begin
    turned <= {flat[7:0], flat[15:8]};
    less <= wide - 1;
  end
endmodule
module scalars(input ap_clk, input ap_rst, input ap_start, output ap_done, output ap_ready,
               input [7:0] a, input a_ap_vld, output reg [7:0] y, output reg y_ap_vld,
               output [7:0] ap_return);
  reg [2:0] left;
  assign ap_done = left == 1, ap_ready = ap_done, ap_return = a + 1;
  always @(posedge ap_clk) begin
    y <= a * 3;
    y_ap_vld <= left == 3 && a[0] && a_ap_vld;
    if (ap_rst) left <= 0;
    else if (left == 0 && ap_start) left <= 4;
    else if (left != 0) left <= left - 1;
  end
endmodule
"""


def test_forms_of_ports(tmp_path):
    """Arrays in a vector, wide words, what is tied; intervals; the scalars of ap_ctrl_hs."""
    source = tmp_path / "forms.v"
    source.write_text(FORMS)
    types = {"flat": "ap_int<8>[2]", "turned": "ap_int<8>[2]"}
    f = rtl(source, "forms", types=types, tie={"ce": 1}, latency=1, interval=3)
    wide = np.array([-(1 << 99) + 1, 5, (1 << 99) - 1], object)
    bench(f, tmp_path / "tb.sv", RNG.integers(-128, 128, (3, 2)), wide)
    bench(rtl(source, "scalars"), tmp_path / "tb.sv", RNG.integers(0, 256, 20))


def test_none_for_memories():
    """Their waveforms and calls are there."""
    f = rtl(DESIGNS / "scale.v", "scale", sizes={"a": 5, "y": 5})
    assert written(f.question, 1, {}, None, "tb.sv") is None
