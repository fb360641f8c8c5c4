"""``harness golden``: write, check, replay, emit and make golden vectors, and simulate them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from harness.cli import outputs
from harness.cli.options import Headers
from harness.report.console import progress, wide_console
from harness.report.tables import fitted
from harness.types import parse_type

__all__ = ["app"]

app = typer.Typer(
    help="Golden vectors for the FPGA: committed, reproducible, replayed in RTL simulators.",
    no_args_is_help=True,
)
AGREE, DIFFER = 0, 1
#: Differences that are printed.
SHOWN = 10
#: Vectors that Verilator is given: the committed ones, and more of the same groups.
MANY = 500_000

Directory = Annotated[
    Path | None, typer.Argument(help="Folder of the truth files; by default the committed ones.")
]


Op = Annotated[str | None, typer.Option("--op", help="An operator, such as +, <<=, < or range.")]
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


def _table(*names: str) -> Table:
    """A table; a column of numbers has > before its name."""
    table = Table()
    for name in names:
        table.add_column(name.lstrip(">"), justify="right" if name[0] == ">" else "left")
    return table


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


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
def write(directory: Directory = None) -> None:
    """Generate every truth file anew, with manifest and sums; never into an installed package."""
    from harness.golden.files import to_write

    directory = outputs.shown(to_write(directory))
    from harness.golden.store import generate
    from harness.golden.store import write as write_all

    with _oracle() as oracle, progress("generating") as update:
        truths = generate(oracle, update)
    write_all(directory, truths)
    typer.echo(f"wrote {sum(t.count for t in truths.values()):,} vectors to {directory}")


@app.command()
def check(
    directory: Directory = None, as_json: outputs.Json = False, junit: outputs.Junit = None
) -> None:
    """Generate every truth file elsewhere, and demand the same bytes."""
    outputs.to_write(junit)
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
    outputs.written(golden_outcome.checked(found, told, outputs.again()), junit)
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
) -> None:
    """Replay vectors on the Python quantizers; needs no compiler, no cppyy, no torch."""
    from harness.golden.replay import replay_path, replay_words
    from harness.quantize.compiled import expect_many
    from harness.report import golden_outcome

    outputs.to_write(junit)
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
    table = _table("file", ">groups", ">vectors", ">differences")
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
    outputs.written(outcome, junit)
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
    written, files = _counted(found.groups, "group"), _counted(found.files, "file")
    typer.echo(f"wrote {found.vectors:,} vectors of {written} to {out}, {files}")


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
    witnesses = ", ".join(dict.fromkeys(group.witness for group in truth.groups))
    agreed = (
        "nothing was computed"
        if truth.path == "words" and given is None
        else (f"{witnesses} and the exact reference agree")
    )
    typer.echo(f"wrote {truth.count:,} vectors to {out}; {agreed}")


@app.command()
def rtl(
    simulator: Annotated[
        list[str] | None,
        typer.Option(help="icarus, verilator, ghdl or cocotb; may be repeated."),
    ] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="A truth file of your own casts; by default the committed.")
    ] = None,
    design: Annotated[
        list[Path] | None,
        typer.Option(help="A source of your own module instead of ours; may be repeated."),
    ] = None,
    top: Annotated[str | None, typer.Option(help="Its name.")] = None,
    types: Annotated[
        list[str] | None, typer.Option(help="The type of a port of it: x='ap_fixed<16,6>'.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of it: WIDTH=16.")
    ] = None,
    latency: Annotated[
        int | None, typer.Option(help="Registers between its input and its output, if clocked.")
    ] = None,
    op: Op = None,
) -> None:
    """Replay the casts in RTL simulators; one that is not installed is skipped, visibly.

    With --design, replay the vectors whose types are those of your own module on it, in Verilator.
    """
    if design:
        if top is None or simulator:
            raise ValueError("--design needs --top, and runs in Verilator: leave --simulator out")
        from harness.cli.design import on_design

        on_design(design, top, types or (), parameter or (), latency, op or "cast", vectors)
        return
    if given := next((n for n, v in (("top", top), ("types", types), ("op", op)) if v), None):
        raise ValueError(f"--{given} is of --design, which is not there")
    from harness.golden.simulate import SIMULATORS

    if unknown := [name for name in simulator or [] if name not in SIMULATORS]:
        allowed = ", ".join(SIMULATORS)
        raise ValueError(f"unknown simulator {unknown[0]!r}; allowed: {allowed}")
    chosen = [SIMULATORS[name] for name in simulator or SIMULATORS]
    for each in chosen if simulator else []:
        if each.missing:
            raise ValueError(f"{each.name} needs {each.missing}; to install it: {each.remedy}")
    table = _table("simulator", "version", ">vectors", "result", ">seconds")
    details, failed, ran = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="harness-rtl-") as folder:
        for each in chosen:
            if each.missing:
                table.add_row(each.name, f"no {each.missing}", "", "SKIPPED", "")
                details.append(f"{each.name}: to install it: {each.remedy}")
                continue
            found, count = _simulated(each, vectors, Path(folder))
            ran += 1
            failed += not found.passed
            result = "PASS" if found.passed else "FAIL"
            seconds = f"{found.seconds:.1f}"
            table.add_row(each.name, found.version, f"{count:,}", result, seconds)
            details += [f"{each.name}: {line}" for line in found.output]
    console = wide_console()
    console.print(fitted(table, console))
    for line in details:
        typer.echo(line)
    if failed:
        typer.echo(f"FAIL: {failed} of {ran} simulators")
        raise typer.Exit(DIFFER)
    if not ran:
        raise ValueError("nothing was simulated: no simulator is installed")
    typer.echo(f"PASS: {_counted(ran, 'simulator')}; {len(chosen) - ran} skipped")


def _simulated(simulator: Any, vectors: Path | None, folder: Path) -> tuple[Any, int]:
    """Emit what a simulator is to replay, and run it."""
    from harness.golden.codec import load
    from harness.golden.emit import emit as emit_all
    from harness.golden.simulate import simulate

    many = vectors is None and simulator.name == "verilator"
    words, work = folder / ("many" if many else "words"), folder / simulator.name
    truth = load(vectors or _committed() / "fixed" / "cast.json")
    groups = truth.groups
    if many:
        from harness.golden.made import extended

        with _oracle() as oracle, progress("making more vectors") as update:
            groups = extended(truth, MANY, oracle, update)
    emitted = emit_all(groups, "rtl", truth.family, words)
    work.mkdir()
    with progress(f"{simulator.name} replays {emitted.vectors:,} vectors"):
        return simulate(simulator, words, emitted.vectors, work), emitted.vectors
