"""Numbers in cocotb testbenches, with a real simulator, and the scoreboard that explains."""

import contextlib
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("cocotb", reason="cocotb is not installed: pip install 'hls-harness[rtl]'")

from harness.cosim import SignatureError
from harness.cosim.cocotb import Fixed, Scoreboard

DESIGNS = Path(__file__).parent / "designs"


def test_fixed():
    """A number is its bits, and equal to what is the same."""
    x = Fixed(-1.5, "ap_fixed<8,4>")
    assert (str(x), x.code, x.value, len(x)) == ("11101000", -24, -1.5, 8)
    assert x == -1.5 == x
    assert x == Fixed(-1.5, "ap_fixed<16,6>")
    assert x != Fixed.from_code(-24, "ap_fixed<8,3>")
    assert repr(x) == "Fixed(-1.5, 'ap_fixed<8,4>')"
    assert Fixed(3, "ap_uint<2>").value == 3
    assert Fixed(Fraction(1, 1 << 70), "ap_fixed<80,4>").value == Fraction(1, 1 << 70)
    assert Fixed.from_code((1 << 64) - 1, "ap_uint<64>").value == (1 << 64) - 1
    with pytest.raises(SignatureError, match="1.3 is no value of ap_fixed<8,4>"):
        Fixed(1.3, "ap_fixed<8,4>")
    with pytest.raises(SignatureError, match="it has 8 bits, and ap_fixed<9,4> has 9"):
        Fixed.of(x, "ap_fixed<9,4>")


def test_scoreboard():
    """What differs, what never came, and what nobody expected."""
    board = Scoreboard("ap_int<4>", model=lambda x: x + 1)
    assert board.expect(3) == 4
    board.expect(4)
    assert board.check(Fixed(4, "ap_int<4>"))
    with pytest.raises(AssertionError, match="1 outputs never came"):
        board.finish()
    assert not board.check(Fixed(6, "ap_int<4>"))
    assert not board.check(Fixed(6, "ap_int<4>"))
    with pytest.raises(
        AssertionError, match=r"4 => got y = 6 \(0x6\), expected 5 \(0x5\)\ny = 0110"
    ):
        board.finish()
    with pytest.raises(AssertionError, match="nothing was compared"):
        Scoreboard("ap_int<4>", "ap_int<8>").finish()


@pytest.mark.skipif(not shutil.which("iverilog"), reason="iverilog is not installed")
def test_in_a_simulator(tmp_path, monkeypatch):
    """The testbench passes but for what meets the planted fault, of which it says the rounding."""
    from cocotb_tools.runner import get_results, get_runner

    monkeypatch.syspath_prepend(DESIGNS)
    report = tmp_path / "report.txt"
    runner = get_runner("icarus")
    runner.build(
        sources=[DESIGNS / "cast.sv"], hdl_toplevel="cast", build_dir=tmp_path,
        parameters={"FAULT": 1}, build_args=["-g2012"], timescale=("1ns", "1ps"),
        log_file=tmp_path / "build.log",
    )  # fmt: skip
    with contextlib.suppress(SystemExit):  # so it ends if a test fails
        runner.test(
            hdl_toplevel="cast", test_module="cast_bench", build_dir=tmp_path, test_dir=tmp_path,
            results_xml=str(tmp_path / "results.xml"),
            extra_env={"REPORT": str(report)}, log_file=tmp_path / "test.log",
        )  # fmt: skip
    results = tmp_path / "results.xml"
    assert get_results(results) == (3, 1), (tmp_path / "test.log").read_text()
    text = report.read_text()
    assert text.startswith("y: ")
    assert "guard bit 1, sticky 0" in text
    assert "rounding  AP_RND" in text
