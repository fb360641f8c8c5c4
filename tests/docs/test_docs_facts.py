"""The documentation is true: its names, tables and counts are the code's."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

from harness.golden.emit import FORMATS as EMITTED
from harness.hls.proof import FAMILIES
from harness.nn.registry import QUANTIZED, ROWS
from harness.oracle.domain import CLAUSES
from harness.reference import QUIRKS
from harness.types import FloatRounding, Overflow, Rounding, modes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]


def test_modules_are_ticked() -> None:
    """docs/modules.md has a line for each quantized module, and no tick is missing."""
    text = (ROOT / "docs" / "modules.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert {line.split("`")[3] for line in lines} == {q.__name__ for q in QUANTIZED.values()}
    assert sum(line.endswith("| ✓ |") for line in lines) == len(ROWS)


def test_the_training_example(tmp_path: Path) -> None:
    """The digits train to the end: quantized they are as good, and the plot is written."""
    plot = tmp_path / "digits.png"
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "digits.py"), str(plot)],
        capture_output=True,
        text=True,
        check=True,
    )
    accuracies = [float(line.split()[-1]) for line in done.stdout.splitlines()[:3]]
    assert accuracies[0] > 0.94
    assert accuracies[2] > accuracies[0] - 0.03
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_the_hardware_example(tmp_path: Path) -> None:
    """hls4ml's project of the trained digits agrees; without one bit of an accumulator it differs.

    What the example prints is what the documentation shows.
    """
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "hardware.py"), str(tmp_path / "project")],
        capture_output=True,
        text=True,
        check=True,
    )
    _, same, _, head, *lines = done.stdout.splitlines()
    layers, (project, broken, *trace) = lines[:5], lines[5:]
    assert same == "typed model: the same values"
    assert head.split() == ["layer", "kind", "result", "codes", "differences"]
    assert all(line.endswith(" 0") for line in layers)
    assert project == "5 layers agree in 62,100 codes"
    assert broken.startswith("one bit less: _2 (Dense) differs first in row ")
    assert sum("<- here" in line for line in trace) == 1
    assert "int main()" in (tmp_path / "project" / "reproduce.cpp").read_text()


def test_every_quirk_and_mode_is_documented() -> None:
    """The tables of docs/semantics.md name each quirk, rounding and overflow."""
    text = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z][a-z-]+)` \|", text, re.MULTILINE)) == set(QUIRKS)
    for mode in [*Rounding, *Overflow]:
        assert f"`{mode.cpp}`" in text


def test_table_of_formats_is_the_code() -> None:
    """docs/types.md has the table that scripts/formats.py makes, as it makes it today."""
    spec = importlib.util.spec_from_file_location("formats", ROOT / "scripts" / "formats.py")
    assert spec is not None
    assert spec.loader is not None
    formats = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(formats)
    text = (ROOT / "docs" / "types.md").read_text(encoding="utf-8")
    assert f"{formats.BEGIN}{formats.table()}{formats.END}" in text


def test_every_float_rounding_and_clause_is_documented() -> None:
    """docs/floats.md names each rounding with its code, each alias and each clause."""
    text = (ROOT / "docs" / "floats.md").read_text(encoding="utf-8")
    for mode in FloatRounding:
        assert f"| `{mode.name}` | {mode.value} |" in text
    for alias in modes._ALIASES:
        assert f"`{alias}`" in text
    for clause in CLAUSES:
        assert f"| `{clause}` |" in text


def test_golden_page_is_true() -> None:
    """golden/README.md has each file with its count, each format, and the total of each README."""
    manifest = json.loads((ROOT / "golden" / "MANIFEST.json").read_text(encoding="utf-8"))
    page = (ROOT / "golden" / "README.md").read_text(encoding="utf-8")
    for entry in manifest["files"]:
        assert f"| `{entry['file']}` | {entry['vectors']:,} |" in page
    for name in EMITTED:
        assert f"`{name}`" in page
    casts = next(e for e in manifest["files"] if e["file"] == "fixed/cast.json")
    assert f"PASS {casts['vectors']} vectors" in page
    for text in (ROOT / "README.md", ROOT / "CHANGELOG.md"):
        assert f"{manifest['vectors']:,} vectors" in text.read_text(encoding="utf-8")


def test_nothing_names_a_machine() -> None:
    """No file of the repository holds an absolute path of somebody's machine."""
    for folder in ("harness", "ap_types", "docs", "golden", "scripts"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".h", ".md", ".sh", ".json", ".sv", ".vhd"):
                assert "/home/" not in path.read_text(encoding="utf-8"), path


def test_every_kernel_is_in_the_table() -> None:
    """docs/layers.md has a line for each kernel of the proof, with no difference."""
    text = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8")
    row = r"^\| ([^*|]+) \| (\d+) \| ([\d,]+) \| (\d+) \| ([^*|]+) \|$"
    rows = re.findall(row, text, re.MULTILINE)
    assert {name for name, *_ in rows} == set(FAMILIES)
    assert all(int(found) == 12 and differ == "0" for _, found, _, differ, _ in rows)
    total = sum(int(codes.replace(",", "")) for _, _, codes, _, _ in rows)
    assert f"**{total:,}** | **0** |" in text
    proven = [re.fullmatch(r"(\d+), ([\d,]+) codes", last) for *_, last in rows]
    assert all(proven), "a layer that every input was run on differs, or none was small enough"
    layers = sum(int(found[1]) for found in proven if found)
    codes = sum(int(found[2].replace(",", "")) for found in proven if found)
    assert f"| **{layers}, {codes:,} codes** |" in text


def test_the_readme_is_short() -> None:
    """Ten minutes of reading: 150 lines."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150


def test_every_extra_is_on_the_page() -> None:
    """docs/install.md has a row for each extra of a user, and none that there is not."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = set(tomllib.load(file)["project"]["optional-dependencies"])
    ours = {"bench", "docs", "examples", "frontends", "lint", "test"}
    text = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == extras - ours


def test_every_folder_is_on_the_page() -> None:
    """docs/layout.md has a line for each folder of harness."""
    text = (ROOT / "docs" / "layout.md").read_text(encoding="utf-8")
    folders = {p.name for p in (ROOT / "harness").iterdir() if (p / "__init__.py").exists()}
    assert {name for name in folders if f"harness/{name} " not in text} == set()
