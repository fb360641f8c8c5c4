"""Replay golden vectors on ap_quantize with cocotb, in Icarus.

    python golden/rtl/ap_quantize_cocotb.py FOLDER

FOLDER was written by `harness golden emit --format rtl`.  The last line is "PASS n vectors", or the
exit status is 1.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import cocotb
from cocotb.triggers import Timer

RTL = Path(__file__).resolve().parent
FOLDER = "GOLDEN_VECTORS"
COUNTED = "counted"


def words_of(path, count, width):
    """The words of a memory file; what is not exactly ``count`` of them is an error."""
    text = path.read_text(encoding="ascii")
    lines = text.split("\n")
    assert lines.pop() == "", f"{path}: the last line has no end"
    assert len(lines) == count, f"{path}: {len(lines)} words, there should be {count}"
    for k, line in enumerate(lines):
        assert set(line) <= set("0123456789abcdef"), f"{path}:{k + 1}: no word: {line}"
        assert len(line) == (width + 3) // 4, f"{path}:{k + 1}: not {width} bits: {line}"
    words = [int(line, 16) for line in lines]
    assert max(words) < 1 << width, f"{path}: a word has more than {width} bits"
    return words


@cocotb.test()
async def replay(dut):
    """Every vector of every group, all groups at once."""
    folder = Path(os.environ[FOLDER])
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    groups = []
    for place, entry in enumerate(index["groups"]):
        block = dut.group[place]
        a, y = block.a, block.y
        inputs = words_of(folder / f"{place:04d}.a.mem", entry["count"], len(a))
        expected = words_of(folder / f"{place:04d}.expected.mem", entry["count"], len(y))
        groups.append((place, a, y, inputs, expected))
    checked, wrong = 0, []
    for k in range(max(len(inputs) for *_, inputs, _ in groups)):
        here = [group for group in groups if k < len(group[3])]
        for _, a, _, inputs, _ in here:
            a.value = inputs[k]
        await Timer(1, "ns")
        for place, _, y, inputs, expected in here:
            found = str(y.value)  # binary digits, or X, Z and the like
            checked += 1
            if not set(found) <= {"0", "1"} or int(found, 2) != expected[k]:
                wrong.append(f"FAIL group {place}, line {k + 1}: {inputs[k]:x} => {found}")
    for line in wrong[:8]:
        print(line)
    assert not wrong, f"FAIL {len(wrong)} of {checked} vectors"
    assert checked == index["vectors"] > 0, f"FAIL {checked} vectors of {index['vectors']}"
    Path(os.environ[COUNTED]).write_text(str(checked), encoding="ascii")


def main(folder):
    """Build and run; exit with 1 unless every vector was compared and agreed."""
    from cocotb_tools.runner import get_results, get_runner

    runner = get_runner("icarus")
    with tempfile.TemporaryDirectory() as build:
        counted = Path(build) / "counted.txt"
        sources = [folder / "ap_quantize_groups.sv"]
        sources += [RTL / name for name in ("ap_quantize.sv", "ap_quantize_duts.sv")]
        runner.build(
            sources=sources,
            hdl_toplevel="ap_quantize_duts",
            build_dir=build,
            build_args=["-g2012"],
            timescale=("1ns", "1ps"),
        )
        results = runner.test(
            hdl_toplevel="ap_quantize_duts",
            test_module=Path(__file__).stem,
            build_dir=build,
            test_dir=build,
            extra_env={
                FOLDER: str(folder),
                COUNTED: str(counted),
                "PYTHONPATH": str(RTL),
                "PYTHONDONTWRITEBYTECODE": "1",  # these sources may lie in an installed package
            },
        )
        tests, failed = get_results(results)
        # No result at all is no success either.
        if tests != 1 or failed or not counted.is_file():
            sys.exit(1)
        print(f"PASS {counted.read_text(encoding='ascii')} vectors", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
