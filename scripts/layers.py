"""Write docs/layers.md: what each typed layer was held against, and what differed: it is run.

.venv/bin/python scripts/layers.py
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from harness.hls.proof import FAMILIES, prove
from harness.oracle import Oracle
from harness.prove import Certificate, Outcome
from harness.prove.layers import prove_families
from harness.report.console import progress

PAGE = Path(__file__).resolve().parent.parent / "docs" / "layers.md"
CONFIGURATIONS = 12
#: Layers of each kernel that are run on every input, and at most 2**BITS of them.
PROVEN, BITS = 3, 16

HEAD = f"""# Typed layers and their kernels

Written by `scripts/layers.py`, which is `harness verify-layers --configurations {CONFIGURATIONS}`:
random sizes, types in every rounding and overflow mode, weights and inputs, each layer beside the
kernel of hls4ml that it is the twin of.  A kernel's name is that in `nnet_utils`, with the variant.

The last column is `harness prove-layers --configurations {PROVEN}`: so many small layers of the
kernel were run on *every* input, up to 2^{BITS}, and all of so many codes are equal.  Larger ones
are proven by a model checker: [layer_sizes.md](layer_sizes.md).

| kernel | configurations | codes compared | differences | proven for all inputs |
|---|---:|---:|---:|---:|
"""


def main() -> None:
    """Run the proof and write the page; fail if a code differs."""
    with contextlib.closing(Oracle()) as oracle, progress("layers and their twins") as update:
        names = sorted(FAMILIES)
        proofs = prove(oracle, names, configurations=CONFIGURATIONS, progress=update)
        certificates = dict(
            prove_families(oracle, names, configurations=PROVEN, bits=BITS, update=update)
        )
    rows = [
        f"| {p.kernel} | {p.configurations} | {p.codes:,} | {p.differences} "
        f"| {_proven(certificates[p.kernel])} |"
        for p in proofs
    ]
    layers, codes = sum(p.configurations for p in proofs), sum(p.codes for p in proofs)
    differ = sum(p.differences for p in proofs)
    every = [found for many in certificates.values() for found in many]
    differ += sum(found.outcome is not Outcome.PROVEN for found in every)
    rows.append(
        f"| **{len(proofs)} kernels** | **{layers:,}** | **{codes:,}** | **{differ}** "
        f"| **{_proven(every)}** |"
    )
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    print(rows[-1])
    if differ:
        raise SystemExit(1)


def _proven(found: Sequence[Certificate]) -> str:
    if not found:
        return "none is small enough"
    layers = [one for one in found if one.outcome is Outcome.PROVEN]
    of = "" if len(layers) == len(found) else f" of {len(found)}"
    return f"{len(layers)}{of}, {sum(one.claims for one in layers):,} codes"


if __name__ == "__main__":
    main()
