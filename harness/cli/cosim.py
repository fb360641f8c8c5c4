"""``harness cosim`` and ``harness init``: your own functions, held against each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import outputs
from harness.report.console import progress

__all__ = ["register"]

AGREE, DIFFER = 0, 1


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(cosim)
    app.command()(init)


def cosim(
    a: Annotated[str, typer.Argument(metavar="A", help="Such as fir.cpp:fir or models:fir.")],
    b: Annotated[
        str | None,
        typer.Argument(metavar="B", help="What to hold it against."),
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Calls to compare, or to record.")] = 1000,
    seed: Annotated[int | None, typer.Option(min=0, help="Other inputs than every day's.")] = None,
    include: Annotated[
        list[Path] | None, typer.Option("-I", help="A folder of C++ headers.")
    ] = None,
    define: Annotated[list[str] | None, typer.Option("-D", help="A macro, NAME=VALUE.")] = None,
    std: Annotated[str, typer.Option(help="The C++ standard.")] = "c++17",
    size: Annotated[
        list[str] | None,
        typer.Option(help="NAME=N: values behind a pointer, or in a stream; may be repeated."),
    ] = None,
    direction: Annotated[
        list[str] | None,
        typer.Option(help="NAME=in, out or inout, where the source does not tell."),
    ] = None,
    sanitize: Annotated[
        bool, typer.Option("--sanitize", help="End calls that go out of bounds; slower.")
    ] = False,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="NAME=TYPE of an RTL port; else those of the other side."),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: a parameter of an RTL module.")
    ] = None,
    latency: Annotated[
        int | None, typer.Option(help="Registers between input and output of an RTL pipeline.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="How an RTL module is called, where its ports do not tell.")
    ] = None,
    count: Annotated[
        bool, typer.Option("--count", help="Count what C++ assignments lose, line by line.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=0.01, help="That a batch of calls may take.")
    ] = 60.0,
    headers: Annotated[
        Path | None,
        typer.Option(help="Folder of your own ap_fixed.h; the pinned ones else."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write what shows a difference into this folder.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Write the calls of A, as JSON, to replay elsewhere.")
    ] = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
) -> None:
    """Do two functions give the same numbers, bit for bit?  With one alone, what does it take?"""
    from harness.cosim.named import Options, named_sides, pairs, parameters
    from harness.cosim.record import Compared
    from harness.cosim.same import compare, recorded
    from harness.cosim.sides import write_calls
    from harness.report.cosims import as_json as json_of
    from harness.report.cosims import outcome

    outputs.to_write(junit, html)
    both = {
        "include": include or (),
        "defines": define or (),
        "sizes": {name: _count(name, text) for name, text in pairs(size or (), "--size").items()},
        "seconds": seconds,
    }
    of_cpp = {
        "std": std,
        "headers": headers,
        "sanitize": sanitize,
        "count": count,
        "directions": pairs(direction or (), "--direction"),
    }
    of_rtl = {
        "types": pairs(type_ or (), "--type"),
        "parameters": parameters(parameter or ()),
        "latency": latency,
        "protocol": protocol,
    }
    options = Options(both, of_cpp, of_rtl)
    with progress("cosim") as update:
        sides = named_sides([text for text in (a, b) if text is not None], options)
        found: Compared | None = None
        if record is not None:
            write_calls(record, recorded(sides[0], examples=examples, seed=seed))
        if len(sides) == 2:
            found = compare(
                *sides,
                examples=examples,
                seed=seed,
                update=lambda done, total: update(done, total, "calls"),
            )
    if found is None:
        sys.stdout.write(f"{sides[0].signature or sides[0].name}\n")
        raise typer.Exit(AGREE)
    sys.stdout.write((json_of(found) if as_json else str(found)) + "\n")
    if out is not None and found.difference is not None:
        from harness.cosim.reproduce import write_reproducers

        for path in write_reproducers(found, (sides[0], sides[1]), out):
            sys.stderr.write(f"written: {path}\n")
    outputs.written(outcome(found, outputs.again()), junit, html)
    raise typer.Exit(AGREE if found.agrees else DIFFER)


def _count(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"--size {name}={text}: a size is a positive integer")
    return int(text)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
) -> None:
    """Write a small working example: a filter in C++, its model in Python, and their test."""
    from harness.cosim.example import write_example

    for path in write_example(folder):
        sys.stdout.write(f"{path}\n")
    sys.stdout.write(f"now: cd {folder} && pytest\n")
