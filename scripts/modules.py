"""Write docs/modules.md: each quantized module, ticked where its tests pass: they are run for it.

.venv/bin/python scripts/modules.py
"""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import harness.nn
from harness.nn.registry import QUANTIZED, ROWS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "modules.md"
TESTS = {
    "test_without_quantizers_it_is_the_parent": "is its parent, bit for bit, without quantizers",
    "test_quantizers_stand_around_the_parent": "equals the composition of quantizers and parent",
    "test_gradients_come_through": "passes gradients",
    "test_state_and_copies_compute_the_same": "comes back from state dict, deepcopy and pickle",
    "test_the_original_comes_back": "gives back the torch module",
}


HEAD = [
    "# Quantized modules",
    "",
    "Written by `scripts/modules.py`, which runs the tests. A row is ticked if the module",
    "",
]
TABLE = [
    "",
    "`harness.nn.registry` has the classes, each also as `FakeQuantized<Name>`. Points are what",
    "can be quantized inside, by name.",
    "",
    "| torch module | quantized | inputs | outputs | points | tests |",
    "|---|---|---|---|---|---|",
]


def passed() -> Counter[str]:
    """How many of the tests each row has passed, by the row's name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-q", "-n", "auto", f"--junitxml={report}", "tests/nn/test_nn_rows.py"]
        command = [sys.executable, "-m", "pytest", *options]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        cases = ET.parse(report).getroot().iter("testcase")
        good = [case.get("name", "") for case in cases if len(case) == 0]
    found: Counter[str] = Counter()
    for name in good:
        test, _, row = name.rstrip("]").partition("[")
        if test in TESTS:
            found[row] += 1
    return found


def page(ticks: Counter[str]) -> str:
    lines = [*HEAD, *(f"- {what}" for what in TESTS.values()), *TABLE]
    rows = {row.parent: row.name for row in ROWS}
    for parent, quantized in QUANTIZED.items():
        module = "torch.nn" if parent.__module__.startswith("torch.") else "functional"
        points = ", ".join(f"`{point}`" for point in quantized.points)
        count = ticks[rows[parent]] if parent in rows else 0
        tick = "✓" if count == len(TESTS) else f"{count} of {len(TESTS)}"
        names = f"| `{module}.{parent.__name__}` | `{quantized.__name__}` |"
        places = f" {quantized.inputs} | {quantized.outputs} | {points} |"
        lines.append(f"{names}{places} {tick if parent in rows else 'tests of its own'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    assert harness.nn.QuantizedModule  # the classes written by hand are registered by its import
    ticks = passed()
    aside = PAGE.with_suffix(".new")
    aside.write_text(page(ticks), encoding="utf-8")
    aside.replace(PAGE)
    whole = sum(ticks[row.name] == len(TESTS) for row in ROWS)
    sys.stdout.write(f"{whole} of {len(ROWS)} rows ticked in {PAGE.name}\n")


if __name__ == "__main__":
    main()
