"""The documentation as a site: whole, linked, with every public name, and fetching nothing."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import harness

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def entries(nav: object) -> list[str]:
    """The files that a part of the navigation names."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [name for part in parts for name in entries(part)]


def anchors(text: str) -> set[str]:
    """What a link may point to on a page."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {re.sub(r"[ -]+", "-", head.strip()) for head in plain}


def test_every_page_is_in_the_navigation() -> None:
    """And nothing is that there is not."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert sorted(entries(config["nav"])) == [str(page.relative_to(DOCS)) for page in PAGES]


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "golden/README.md", *PAGES], ids=str)
def test_links(page: Path) -> None:
    """Every link inside leads to a file that is there, and to a heading that it has."""
    text = page.read_text("utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M))
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
    api = tmp_path / "site" / "api"
    text = "".join(path.read_text("utf-8") for path in api.rglob("*.html"))
    places = set(re.findall(r'id="harness\.(?:quantize\.)?(\w+)"', text))
    assert set(harness.__all__) <= places
    for page in (tmp_path / "site").rglob("*.html"):
        fetched = re.findall(
            r'<(?:script|img|iframe)[^>]*\ssrc="(\w+:)?//', page.read_text("utf-8")
        )
        styles = re.findall(r'<link[^>]*stylesheet[^>]*href="https?:', page.read_text("utf-8"))
        assert (fetched, styles) == ([], []), page
