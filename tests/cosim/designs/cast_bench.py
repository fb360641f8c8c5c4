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


async def board(dut, codes):
    """Some of the codes, on the scoreboard."""
    found = Scoreboard(TARGET, SOURCE)
    for code in codes:
        x = Fixed.from_code(code, SOURCE)
        dut.x.value = x
        found.expect(x)
        await Timer(1, "ns")
        found.check(dut.y)
    return found


@cocotb.test()
async def above_zero(dut):
    """Every tie, and what lies between them."""
    found = await board(dut, range(0, 1 << 15, 32))
    assert found.finish() == 1024


@cocotb.test()
async def below_zero(dut):
    """The same where the planted fault is."""
    found = await board(dut, range(-(1 << 15), 0, 32))
    try:
        found.finish()
    except AssertionError as error:
        Path(os.environ["REPORT"]).write_text(str(error), encoding="utf-8")
        raise
