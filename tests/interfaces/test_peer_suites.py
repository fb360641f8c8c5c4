"""The script that runs other libraries' tests on our interfaces: it changes imports, and counts."""

import argparse
import importlib
import re
from pathlib import Path

import tomllib

from scripts import peer_tests

ROOT = Path(__file__).resolve().parents[2]


def test_only_modules_of_imports_change() -> None:
    """Whole names, the first pattern that fits; what a plain import binds stays bound."""
    imports = {"peer": "ours", r"peer\.(\w+)": r"ours.\1", r"\.\.inner\.\w+": "ours.inner"}
    text = (
        "import peer\nimport peer as p\nfrom peer.tools import (\n    a,\n)\npeer = 'import peer'\n"
    )
    assert peer_tests.changed(text, imports) == (
        "import ours as peer\nimport ours as p\nfrom ours.tools import (\n    a,\n)\n"
        "peer = 'import peer'\n"
    )
    assert peer_tests.changed("    from ..inner.x import y\n", imports) == (
        "    from ours.inner import y\n"
    )
    assert peer_tests.changed("from peers import x\n", imports) == "from peers import x\n"


def test_a_file_is_counted(tmp_path: Path) -> None:
    """Passed, failed and skipped; what failed is named."""
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "test_it.py").write_text(
        "import pytest\nfrom peer import sqrt\n\n"
        "def test_right(): assert sqrt(4) == 2\n"
        "def test_wrong(): assert sqrt(4) == 3\n"
        "@pytest.mark.skip\ndef test_later(): pass\n"
    )
    facts = {"repository": "peer", "folder": "checks", "imports": {"peer": "math"}}
    chosen = argparse.Namespace(original=False, package=ROOT)
    counts, failures = peer_tests.run(tmp_path, "checks/test_it.py", facts, chosen)
    assert counts == (3, 1, 1, 1)
    assert len(failures) == 1
    assert "test_wrong" in failures[0]
    chosen.original = True  # there is no such library
    assert peer_tests.run(tmp_path, "checks/test_it.py", facts, chosen)[0] == (1, 0, 1, 0)


def test_the_table_names_what_is_there() -> None:
    """A commit and files for each library, and modules of ours that can be imported."""
    table = tomllib.loads((ROOT / "scripts" / "peer_tests.toml").read_text(encoding="utf-8"))
    assert set(table) == {"aimet", "pychop", "fxpytorch", "quantizers"}
    documented = (ROOT / "docs" / "interfaces.md").read_text(encoding="utf-8")
    for name, facts in table.items():
        assert re.fullmatch("[0-9a-f]{7,40}", facts["commit"])
        assert facts["files"]
        for file in facts["files"]:
            assert f"| {name} | {Path(file).relative_to(facts['folder'])} |" in documented
        for module in facts["imports"].values():
            if "\\" not in module and module.startswith("harness"):
                importlib.import_module(module)
