"""Options that several commands take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["FRAMES", "Headers", "NoCache", "Op", "Seed"]

#: Help with frames; on narrow screens without, where they would cut the names of options.
FRAMES: Literal["rich"] | None = "rich" if shutil.get_terminal_size().columns >= 76 else None

Headers = Annotated[
    Path | None,
    typer.Option(help="Folder of your own ap_fixed.h; by default the pinned headers."),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Compile everything anew, and keep nothing.")
]
Seed = Annotated[int, typer.Option(min=0, help="Decides types and inputs.")]
Op = Annotated[str | None, typer.Option("--op", help="An operator, such as +, <<=, < or range.")]
