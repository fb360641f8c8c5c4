"""``harness golden``: write, check, replay, emit and make golden vectors, and simulate them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli import outputs
from harness.cli.options import FRAMES, Headers, Op
from harness.cli.rtl import rtl
from harness.report.columns import counted
from harness.report.console import progress, wide_console
from harness.report.tables import fitted, headed
from harness.types import parse_type

__all__ = ["app"]

app = typer.Typer(
    help="Golden vectors for the FPGA: committed, reproducible, replayed in RTL simulators.",
    no_args_is_help=True,
    rich_markup_mode=FRAMES,
)
AGREE, DIFFER = 0, 1
#: Differences that are printed.
SHOWN = 10

Directory = Annotated[
    Path | None, typer.Argument(help="Folder of the truth files; by default the committed ones.")
]


Right = Annotated[str | None, typer.Option("--with", help="The type of its right operand.")]
Bits = Annotated[str | None, typer.Option(help="The bits HI:LO that range takes.")]


@contextlib.contextmanager
def _oracle(headers: Path | None = None) -> Iterator[Any]:
    from harness.oracle import Oracle

    with contextlib.closing(Oracle(headers)) as oracle:
        yield oracle


def _committed() -> Path:
    """The committed vectors."""
    from harness.golden.files import golden_directory

    return outputs.shown(golden_directory())


def _operands(
    op: str | None, left: str | None, right: str | None, bits: str | None
) -> tuple[list[Any], tuple[int, ...]]:
    """The types of the operands, and the ends of a range; ``None`` for a type that is not named.

    The right operand of a shift and the number of a bit are a C++ ``int``.
    """
    from harness.golden.record import NUMBERS, parse_column
    from harness.types import Operation

    sources = [parse_column(left) if left else None]
    kind = Operation.parse(op) if op else None
    if kind is not None and kind.binary:
        if right is None:
            raise ValueError(f"{op} takes two numbers; name the type of the right one with --with")
        sources.append(parse_type(right))
    elif right is not None:
        raise ValueError("--with is for an operator of two numbers; leave it out")
    elif kind is not None and kind.counted:
        sources.append(NUMBERS["int"])
    if (bits is None) == (kind is Operation.RANGE):
        raise ValueError("--bits HI:LO and --op range need each other")
    if bits is None:
        return sources, ()
    ends = bits.split(":")
    if len(ends) != 2 or not all(end.isdecimal() for end in ends):
        raise ValueError(f"--bits must be HI:LO, such as 7:4, not {bits!r}")
    return sources, (int(ends[0]), int(ends[1]))


@app.command()
def write(directory: Directory = None, as_json: outputs.Json = False) -> None:
    """Generate every truth file anew, with manifest and sums; never into an installed package."""
    from harness.golden.files import to_write

    directory = outputs.shown(to_write(directory))
    from harness.golden.store import generate
    from harness.golden.store import write as write_all

    with _oracle() as oracle, progress("generating") as update:
        truths = generate(oracle, update)
    write_all(directory, truths)
    vectors = sum(t.count for t in truths.values())
    told = f"wrote {vectors:,} vectors to {directory}"
    _say(told, as_json, vectors=vectors, folder=str(directory), files=sorted(truths))


@app.command()
def check(
    directory: Directory = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
) -> None:
    """Generate every truth file elsewhere, and demand the same bytes."""
    outputs.to_write(junit, html)
    from harness.golden.store import check as check_all
    from harness.golden.store import generate
    from harness.report import golden_outcome

    with _oracle() as oracle, progress("generating") as update:
        truths = generate(oracle, update)
    found = check_all(directory or _committed(), truths)
    size = f"{found.size / 1e6:.1f} MB"
    told = f"SAME: {found.vectors:,} vectors in {found.files} files, {size}, byte for byte"
    if found.differences:
        count = f"{len(found.differences)} of {found.files} files"
        told = f"DIFFER: {count}; `make golden` writes them"
    if as_json:
        typer.echo(golden_outcome.checked_json(found))
    else:
        for line in (*found.notes, *found.differences[:SHOWN], told):
            typer.echo(line)
    outputs.written(golden_outcome.checked(found, told, outputs.again()), junit, html)
    if found.differences:
        raise typer.Exit(DIFFER)


@app.command()
def replay(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Truth files, folders of them, or emitted folders; the committed. With --expect "
            "bare .mem, .hex, .coe, .mif or .npy files of inputs, one for each operand."
        ),
    ] = None,
    expect: Annotated[Path | None, typer.Option(help="A bare file of the words expected.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Their type.")] = None,
    source: Annotated[
        str | None,
        typer.Option(help="The type of the inputs' words; an .npy of numbers needs none."),
    ] = None,
    op: Op = None,
    right: Right = None,
    bits: Bits = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
) -> None:
    """Replay vectors on the Python quantizers; needs no compiler, no cppyy, no torch."""
    from harness.golden.replay import replay_path, replay_words
    from harness.quantize.compiled import expect_many
    from harness.report import golden_outcome

    outputs.to_write(junit, html)
    if not paths:
        expect_many()  # the committed vectors have all modes
    if expect is not None:
        target = parse_type(type_) if type_ else None
        sources, ends = _operands(op, source, right, bits)
        found = replay_words(paths or [], expect, target, sources, op or "", ends)
        results = iter([(str(expect), found)])
    elif any((type_, source, op, right, bits)):
        raise ValueError("what bare files of inputs give is named with --expect FILE")
    else:
        results = (each for path in paths or [_committed()] for each in replay_path(path))
    replayed = list(results)
    table = headed("file", ">groups", ">vectors", ">differences")
    total, wrong = 0, 0
    lines: list[str] = []
    for name, found in replayed:
        count = len(found.differences)
        table.add_row(name, f"{found.groups}", f"{found.vectors:,}", f"{count:,}")
        total += found.vectors
        wrong += count
        lines += [d.at(name) for d in found.differences[: SHOWN - len(lines)]]
    told = f"AGREE: harness.quantize reproduces all {total:,} vectors"
    told = f"DIFFER: {wrong:,} of {total:,} vectors" if wrong else told
    if as_json:
        typer.echo(golden_outcome.replayed_json(replayed))
    else:
        console = wide_console()
        console.print(fitted(table, console))
        for line in (*lines, told):
            typer.echo(line)
    outcome = golden_outcome.replayed(replayed, told, not wrong, outputs.again())
    outputs.written(outcome, junit, html)
    if wrong:
        raise typer.Exit(DIFFER)


@app.command()
def emit(
    file: Annotated[Path, typer.Argument(help="A truth file.")],
    format_: Annotated[
        str, typer.Option("--format", help="mem, coe, mif, dat, sv, vhdl, cpp, npz, csv or rtl.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write; new, empty, or written before.")],
    group: Annotated[
        list[str] | None, typer.Option(help="A group's id, such as 0007; may be repeated; all.")
    ] = None,
    as_json: outputs.Json = False,
) -> None:
    """Write the vectors of a truth file in another format, with an index to read them back."""
    from harness.golden.codec import load
    from harness.golden.emit import emit as emit_all

    truth = load(file)
    groups = [g for g in truth.groups if not group or g.id in group]
    if unknown := [g for g in group or [] if g not in {each.id for each in truth.groups}]:
        last = truth.groups[-1].id
        raise ValueError(f"{file} has no group {unknown[0]}; it has 0000 to {last}")
    found = emit_all(groups, format_, f"{truth.family}_{file.stem}", out)
    written, files = counted(found.groups, "group"), counted(found.files, "file")
    told = f"wrote {found.vectors:,} vectors of {written} to {out}, {files}"
    _say(told, as_json, **{**asdict(found), "folder": str(out), "format": format_})


@app.command()
def make(
    type_: Annotated[
        str, typer.Option("--type", help="The target type; with --op that of the left operand.")
    ],
    out: Annotated[Path, typer.Option(help="The truth file to write.")],
    source: Annotated[
        str | None, typer.Option(help="The source type of a cast; by default doubles convert.")
    ] = None,
    op: Op = None,
    right: Right = None,
    bits: Bits = None,
    count: Annotated[int, typer.Option(min=1, help="At most so many vectors.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Decides the inputs.")] = 0,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="An .npz or .npy of tensors to encode instead, or a bare .mem, .hex, .coe, .mif "
            "or .npy of words: of --source, else of --type.",
        ),
    ] = None,
    headers: Headers = None,
    as_json: outputs.Json = False,
) -> None:
    """Make golden vectors of your own type, cast or operator, or of your own tensors or words."""
    from harness.golden import made
    from harness.golden.codec import dumps
    from harness.golden.files import write_aside
    from harness.golden.record import parse_column

    t = parse_type(type_)
    _, ends = _operands(op, type_, right, bits)
    given = parse_column(source) if source else None
    if op is not None and (source or from_):
        raise ValueError("--op takes --type and --with; leave --source and --from out")
    with _oracle(headers) as oracle, progress("asking the witnesses") as update:
        if op is not None:
            right_type = parse_type(right) if right else None
            truth = made.operated(op, t, right_type, ends, count, seed, oracle)
        elif from_ is None:
            truth = made.made(t, given, count, seed, oracle)
        elif from_.suffix == ".npz" or (from_.suffix == ".npy" and given is None):
            if given is not None:
                raise ValueError("an .npz has numbers, which need no --source; leave it out")
            truth = made.encoded(from_, t, oracle, update)
        else:
            truth = made.worded(from_, t, given, oracle)
    write_aside(out, dumps(truth))
    witnesses = list(dict.fromkeys(group.witness for group in truth.groups))
    agreed = (
        "nothing was computed"
        if truth.path == "words" and given is None
        else (f"{', '.join(witnesses)} and the exact reference agree")
    )
    told = f"wrote {truth.count:,} vectors to {out}; {agreed}"
    _say(told, as_json, vectors=truth.count, file=str(out), witnesses=witnesses)


def _say(told: str, as_json: bool, **facts: Any) -> None:
    """What was written: a sentence, or for programs."""
    typer.echo(json.dumps(facts, indent=2) if as_json else told)


app.command()(rtl)
