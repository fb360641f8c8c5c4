"""``make mutants``: are the checks of the arithmetic good enough to see a small change of it?

Mutants are made, each is held against the quickest checks that should see it, and whoever survives
must be explained in ``tests/mutants/equivalent.toml`` as one that changes nothing.  What was found
out is kept in a journal, by the text of the mutated function, and not found out again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from scripts.mutants.checks import AREAS, area_of
from scripts.mutants.edits import Mutant, mutants_of
from scripts.mutants.hdl_edits import hdl_mutants_of
from scripts.mutants.journal import Journal, Result
from scripts.mutants.run import BrokenChecks, Runner

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = ROOT / "tests/mutants/equivalent.toml"
console = Console(soft_wrap=True)


def all_mutants() -> list[Mutant]:
    """Every mutant of every file."""
    found = []
    for area in AREAS:
        for path in area.files:
            make = mutants_of if path.endswith(".py") else hdl_mutants_of
            found += make(path, (ROOT / path).read_text())
    return found


def chosen(mutants: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    """Those that are run: one in ``share`` of each area, by key, or all; of these a sample."""
    if not options.all:
        mutants = [m for m in mutants if int(m.key, 16) % area_of(m.path).share == 0]
    if options.only:
        mutants = [m for m in mutants if m.path.startswith(options.only) or m.key == options.only]
    if options.sample:
        drawn = sorted(
            mutants, key=lambda m: hashlib.sha256(f"{options.seed} {m.key}".encode()).digest()
        )
        kept = {m.key for m in drawn[: options.sample]}
        mutants = [m for m in mutants if m.key in kept]
    return mutants


def explanations(mutants: list[Mutant]) -> dict[str, str]:
    """The reasons for equivalent mutants, by key; one that names no mutant ends the run."""
    rows = tomllib.loads(EQUIVALENT.read_text()) if EQUIVALENT.exists() else {}
    known = {m.key for m in mutants}
    for key, row in rows.items():
        if key not in known:
            sys.exit(
                f"{EQUIVALENT.name}: {key} ({row.get('what')}) is no mutant any more; remove it"
            )
        if not str(row.get("reason", "")).strip():
            sys.exit(f"{EQUIVALENT.name}: {key} has no reason")
    return {key: row["reason"] for key, row in rows.items()}


def examine(mutants: list[Mutant], options: argparse.Namespace) -> dict[str, Result]:
    """The results of ``mutants`` by key, from the journal or new."""
    journal = Journal(Path(options.journal))
    results, rest = {}, []
    for mutant in mutants:
        known = journal.known(mutant.key, area_of(mutant.path).digest(ROOT))
        if known is None:
            rest.append(mutant)
        else:
            results[mutant.key] = known
    console.print(f"{len(mutants)} mutants, {len(results)} known from the journal")
    if not rest:
        return results
    runner = Runner(ROOT, options.jobs)
    try:
        with Progress(console=console) as progress:
            task = progress.add_task("mutants", total=len(rest))
            # In the order of their names, so that what is done is a fair sample of the whole.
            for mutant, result in runner.run(sorted(rest, key=lambda m: m.key)):
                journal.write(result)
                results[mutant.key] = result
                if not result.killed:
                    progress.print(f"survived: {mutant}")
                progress.advance(task)
    finally:
        runner.close()
    return results


def report(mutants: list[Mutant], results: dict[str, Result], reasons: dict[str, str]) -> int:
    """Print the score and the survivors; how many of these nobody explains, or wrongly."""
    survivors = [m for m in mutants if not results[m.key].killed]
    table = Table(title="mutants")
    for column in ("file", "mutants", "killed", "same", "left", "score %"):
        table.add_column(column, justify="left" if column == "file" else "right", no_wrap=True)
    total: Counter[str] = Counter(m.path for m in mutants)
    alive = Counter(m.path for m in survivors)
    excused = Counter(m.path for m in survivors if m.key in reasons)
    for path in [*total, "all"]:
        n, s, e = (c.total() if path == "all" else c[path] for c in (total, alive, excused))
        score = f"{100 * (n - s) / (n - e):.1f}" if n > e else "-"
        table.add_row(
            path, *map(str, (n, n - s, e, s - e)), score, end_section=path == [*total][-1]
        )
    console.print(table)
    unexplained = [m for m in survivors if m.key not in reasons]
    for mutant in unexplained:
        console.print(f"\n{mutant}", highlight=False, markup=False)
        console.print(mutant.diff((ROOT / mutant.path).read_text()), highlight=False, markup=False)
    refuted = [m for m in mutants if m.key in reasons and results[m.key].killed]
    for mutant in refuted:
        by = results[mutant.key].by
        console.print(f"\n{mutant}: {EQUIVALENT.name} says it changes nothing, {by} sees it")
    console.print(
        f"{sum(r.seconds for r in results.values()):.0f} s of checks, "
        f"{sum(r.outcome == 'hung' for r in results.values())} hung"
    )
    return len(unexplained) + len(refuted)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="draw so many")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--only", metavar="PATH", help="a file, a folder, or the key of a mutant")
    parser.add_argument("--all", action="store_true", help="every mutant, not a share of each file")
    parser.add_argument("--jobs", type=int, default=max(1, len(os.sched_getaffinity(0))))
    parser.add_argument("--journal", default=str(ROOT / ".mutants/journal.jsonl"))
    parser.add_argument("--list", action="store_true", help="name them, run nothing")
    options = parser.parse_args()
    started = time.monotonic()
    every = all_mutants()
    reasons = explanations(every)
    mutants = chosen(every, options)
    if not mutants:
        parser.error("no mutant is chosen")
    if options.list:
        for mutant in mutants:
            console.print(str(mutant), highlight=False, markup=False)
        return 0
    try:
        results = examine(mutants, options)
    except BrokenChecks as error:
        sys.exit(str(error))
    unexplained = report(mutants, results, reasons)
    console.print(
        f"{len(mutants)} of {len(every)} mutants in {time.monotonic() - started:.0f} s, "
        f"{unexplained} unexplained"
    )
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
