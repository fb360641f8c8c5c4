"""Write docs/layers.md: what each typed layer was held against, and what differed: it is run.

.venv/bin/python scripts/layers.py
"""

import contextlib
from pathlib import Path

from harness.hls.proof import FAMILIES, prove
from harness.oracle import Oracle
from harness.report.console import progress

PAGE = Path(__file__).resolve().parent.parent / "docs" / "layers.md"
CONFIGURATIONS = 12

HEAD = f"""# Typed layers and their kernels

Written by `scripts/layers.py`, which is `harness verify-layers --configurations {CONFIGURATIONS}`:
random sizes, types in every rounding and overflow mode, weights and inputs, each layer beside the
kernel of hls4ml that it is the twin of.  A kernel's name is that in `nnet_utils`, with the variant.

| kernel | configurations | codes compared | differences |
|---|---:|---:|---:|
"""


def main() -> None:
    """Run the proof and write the page; fail if a code differs."""
    with contextlib.closing(Oracle()) as oracle, progress("layers and their twins") as update:
        proofs = prove(oracle, sorted(FAMILIES), configurations=CONFIGURATIONS, progress=update)
    rows = [f"| {p.kernel} | {p.configurations} | {p.codes:,} | {p.differences} |" for p in proofs]
    layers, codes = sum(p.configurations for p in proofs), sum(p.codes for p in proofs)
    differ = sum(p.differences for p in proofs)
    rows.append(f"| **{len(proofs)} kernels** | **{layers:,}** | **{codes:,}** | **{differ}** |")
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    print(rows[-1])
    if differ:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
