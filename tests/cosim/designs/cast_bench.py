"""A cocotb testbench of cast.sv: run by test_cosim_cocotb.py in a simulator."""

import os
from pathlib import Path

import cocotb
import pytest
from cocotb.triggers import Timer

from harness.cosim import SignatureError
from harness.cosim.cocotb import Fixed, Scoreboard

SOURCE, TARGET = "ap_fixed<16,6>", "ap_fixed<8,4,AP_RND,AP_SAT>"


@cocotb.test()
async def ports(dut):
    """Assignment and comparison of ports."""
    dut.x.value = Fixed(1.53125, SOURCE)
    await Timer(1, "ns")
    assert dut.y == Fixed(1.5625, TARGET)
    assert dut.y.value == Fixed(1.5625, TARGET)
    assert dut.y != Fixed(1.5, TARGET)
    assert dut.x == Fixed(1.53125, SOURCE)
    assert Fixed.of(dut.y, TARGET) == 1.5625
    with pytest.raises(ValueError, match="length 8 to handle of length 16"):
        dut.x.value = Fixed(1.5, TARGET)
    dut.x.value = "X" * 16
    await Timer(1, "ns")
    assert dut.y != Fixed(0, TARGET)
    with pytest.raises(SignatureError, match="y has unknown bits: "):
        Fixed.of(dut.y, TARGET)


@cocotb.test()
async def board(dut):
    """Many ties and its neighbours, on the scoreboard."""
    found = Scoreboard(TARGET, SOURCE)
    for code in range(-(1 << 15), 1 << 15, 31):
        x = Fixed.from_code(code, SOURCE)
        dut.x.value = x
        found.expect(x)
        await Timer(1, "ns")
        found.check(dut.y)
    try:
        found.finish()
    except AssertionError as error:
        Path(os.environ["REPORT"]).write_text(str(error), encoding="utf-8")
        raise
