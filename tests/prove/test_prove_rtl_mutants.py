"""Every small edit of ``ap_quantize.sv`` that changes anything is refuted by a dozen claims."""

import os
from pathlib import Path

import pytest

from harness.prove.record import Outcome
from harness.prove.rtl import RtlError, golden_rtl
from harness.prove.rtl.golden import Asked, design_claims
from harness.prove.solve import decide
from harness.types import ApFixed, ApInt, Overflow
from scripts.mutants.edits import Mutant
from scripts.mutants.hdl_edits import hdl_mutants_of

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
#: What refutes most of them comes first.
CASTS = (
    ("ap_fixed<5,4>", "ap_fixed<2,3,AP_RND_CONV>"),
    ("ap_fixed<4,1>", "ap_ufixed<4,-2,AP_TRN_ZERO>"),
    ("ap_fixed<5,4>", "ap_int<2>"),
    ("ap_fixed<5,-1>", "ap_ufixed<2,1,AP_RND_MIN_INF>"),
    ("ap_fixed<1,3>", "ap_fixed<5,1,AP_RND_ZERO>"),
    ("ap_fixed<5,-1>", "ap_ufixed<2,1,AP_RND_INF>"),
    ("ap_fixed<5,-1>", "ap_ufixed<2,1,AP_TRN_ZERO>"),
    ("ap_fixed<6,6>", "ap_fixed<3,4,AP_TRN_ZERO>"),
    ("ap_fixed<5,1>", "ap_ufixed<4,1,AP_RND_ZERO>"),
    ("ap_ufixed<4,6>", "ap_fixed<1,-2,AP_TRN>"),
    ("ap_fixed<4,1>", "ap_uint<4>"),
    ("ap_fixed<3,-1>", "ap_fixed<5,6,AP_RND_INF>"),
    ("ap_fixed<4,4>", "ap_fixed<3,0>"),
)
#: Edits that change no answer, by line and column, beside those that the project explains already.
SAME = {
    (29, 59): "SHIFT = SRC_W + 2 then is not cut to SRC_W + 1: the sign is left by both",
    (30, 49): "where the two are equal both branches are",
    (32, 41): "where the two are equal both branches are",
    (37, 18): "one of the two bits to spare is left",
    (37, 20): "one of the two bits to spare is left",
    (38, 17): "more copies of the sign",
    (39, 15): "a zero above what is cut off",
    (41, 28): "the lowest bit of what is cut off is always zero",
    (52, 10): "bits above that nothing reads",
    (52, 49): "more zeros above what is added, and cut to V bits",
    (55, 17): "a bit less for a 1, extended with zeros; of one bit it has two, and is cut",
    (55, 32): "more zeros above a 1, and cut to W bits",
    (55, 35): "a zero less above a 1, and extended",
    (56, 16): "bits above that are cut off, or zero",
    (57, 16): "bits above that are cut off",
    (61, 35): "with N = 1 the branch before is taken",
    (64, 10): "zeros above",
    (64, 32): "cut to W bits",
    (65, 91): "the two highest bits are equal",
    (66, 10): "zeros above",
    (67, 10): "zeros above",
    (69, 10): "zeros above",
    (76, 10): "bits above that are cut off",
}
#: Edits that make no module of it, or one with ports of other widths.
REFUSED = {(18, 23), (18, 24), (18, 26), (19, 23), (19, 24), (19, 26), (39, 32)}


def targets(text: str) -> list[ApFixed]:
    """A type with every overflow."""
    t = ApFixed.parse(text)
    if isinstance(t, ApInt):
        return [t]
    found = []
    for o in Overflow:
        if o is not Overflow.WRAP_SM or t.signed:
            counts = {n for n in (0, 1, 2, t.width) if n <= t.width} if o.wraps else {0}
            found += [t.with_modes(overflow=o, n=n) for n in sorted(counts)]
    return found


def refuted(mutants: list[Mutant], asked: Asked, folder: Path) -> set[str]:
    """The keys of those that a cast refutes."""
    claims = design_claims((folder / m.key, asked) for m in mutants)
    return {c.subject for c in claims if decide(c).outcome is Outcome.REFUTED}


def unreadable(mutant: Mutant, asked: Asked, folder: Path) -> bool:
    """Whether yosys refuses it with the parameters of a cast."""
    try:
        list(design_claims([(folder / mutant.key, asked)]))
    except RtlError:
        return True
    return False


@pytest.fixture(scope="module")
def mutants() -> tuple[list[Mutant], list[Mutant]]:
    """Those that change answers, and those that are explained; by day one in eight of them."""
    found = hdl_mutants_of("golden/rtl/ap_quantize.sv", golden_rtl().read_text())
    rows = tomllib.loads((ROOT / "tests/mutants/equivalent.toml").read_text())
    same = [m for m in found if m.key in rows or (m.line, m.column) in SAME]
    assert {(m.line, m.column) for m in same if m.key not in rows} == SAME.keys()
    if os.environ.get("HARNESS_HYPOTHESIS") != "nightly":
        found = [m for m in found if int(m.key, 16) % 8 == 0]
    return [m for m in found if m not in same], [m for m in found if m in same]


def write(mutants: list[Mutant], folder: Path) -> None:
    source = golden_rtl().read_text()
    for mutant in mutants:
        (folder / mutant.key).write_text(mutant.apply(source))


def test_what_changes_answers_is_refuted(mutants, tmp_path):
    """The first cast, of one overflow, leaves half of them for all others."""
    left, _ = mutants
    assert len(left) > 10
    write(left, tmp_path)
    casts = [(ApFixed.parse(a), targets(b)) for a, b in CASTS]
    first, most = casts[0]
    refused = [m for m in left if (m.line, m.column) in REFUSED]
    assert all(unreadable(m, (first, most), tmp_path) for m in refused)
    left = [m for m in left if m not in refused]
    for asked in [(first, most[-1:]), (first, most[:-1]), *casts[1:]]:
        seen = refuted(left, asked, tmp_path)
        left = [m for m in left if m.key not in seen]
    assert left == []


def test_what_is_explained_is_not(mutants, tmp_path):
    """An explanation that a cast refutes would be none."""
    _, same = mutants
    write(same, tmp_path)
    for a, b in CASTS[-2:]:
        assert refuted(same, (ApFixed.parse(a), targets(b)), tmp_path) == set()
