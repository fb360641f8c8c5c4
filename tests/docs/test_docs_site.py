"""The documentation as a site: whole, linked, with every public name, and fetching nothing."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def entries(nav: object) -> list[str]:
    """The files that a part of the navigation names."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [name for part in parts for name in entries(part)]


def without_code(text: str) -> str:
    """A page without its blocks of code: a comment in one is no heading."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def anchors(text: str) -> set[str]:
    """What GitHub lets a link point to on a page; that the site agrees, its build demands."""
    heads = re.findall(r"^#{1,6} (.+)$", without_code(text), re.MULTILINE)
    bare = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head) for head in heads)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in bare}


def test_every_page_is_in_the_navigation() -> None:
    """And nothing is that there is not."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert sorted(entries(config["nav"])) == [str(page.relative_to(DOCS)) for page in PAGES]


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "golden/README.md", *PAGES], ids=str)
def test_links(page: Path) -> None:
    """Every link inside leads to a file that is there, and to a heading that it has."""
    text = without_code(page.read_text("utf-8"))
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'\b(?:src|href)="([^"]+)"', text)
    for link in links:
        if link.startswith(("https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def test_the_picture_is_what_the_quantizers_do() -> None:
    """It is drawn again, byte for byte."""
    spec = importlib.util.spec_from_file_location("rounding", ROOT / "scripts" / "rounding.py")
    assert spec is not None
    assert spec.loader is not None
    rounding = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rounding)
    assert rounding.drawing() == (DOCS / "rounding.svg").read_text("utf-8")


def test_the_site(tmp_path: Path) -> None:
    """It is built without a warning; public names have places; nothing comes from elsewhere."""
    pytest.importorskip("mkdocstrings", reason="pip install 'hls-harness[docs]' for the site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for page in sorted((DOCS / "api").glob("*.md")):
        module = "harness" if page.stem == "index" else f"harness.{page.stem}"
        folder = tmp_path / "site" / "api" / ("" if page.stem == "index" else page.stem)
        text = (folder / "index.html").read_text("utf-8")
        places = set(re.findall(r'\bid="([\w.]+)"', text))
        shown = set(re.findall(r'<h\d id="[\w.]+?(\w+)" class="doc doc-heading"', text))
        public = importlib.import_module(module).__all__
        assert [name for name in public if f"{module}.{name}" not in places] == [], module
        assert set(public) - shown == set(), module
        assert re.findall(r":(?:attr|class|data|exc|func|meth|mod):.{9}", text) == [], module
    fetching = r"<(?:script|img|iframe|source|embed)\b[^>]*\ssrc=.?(?:https?:)?//[^>]*>"
    styles = r"<link\b(?=[^>]*stylesheet)[^>]*\shref=.?(?:https?:)?//[^>]*>"
    imported = r"@import[^;]*//[^;]*;|url\(.?(?:https?:)?//[^)]*\)"
    for made in (tmp_path / "site").rglob("*"):
        if made.suffix in (".html", ".css"):
            found = re.findall(f"{fetching}|{styles}|{imported}", made.read_text("utf-8"))
            assert found == [], made
