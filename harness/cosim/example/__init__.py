"""What ``harness init`` writes: a filter in C++, its model in Python, and their test."""

from __future__ import annotations

from pathlib import Path

from harness.golden.files import write_aside

__all__ = ["write_example"]

FILES = ("fir.cpp", "fir.v", "model.py", "test_fir.py")


def write_example(folder: Path) -> list[Path]:
    """Write the example into a folder that has none of its files.

    Raises:
        ValueError: if one of them is there.
        OSError: if the folder cannot be written.
    """
    here = Path(__file__).parent
    targets = [folder / name for name in FILES]
    if there := next((t for t in targets if t.exists()), None):
        raise ValueError(f"{there} is there already; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for target in targets:
        text = (here / f"{target.name}.txt").read_text(encoding="utf-8")
        write_aside(target, text)
    return targets
