"""What is proven: subjects, types and modes, drawn once from a seed, as tasks that run anywhere."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.prove import kernels, minifloats, operators, rtl
from harness.prove.solve import Claim
from harness.quantize.fixed_values import float_plan
from harness.types import ApFixed, ApInt, IeeeFloat, Overflow, Rounding, check_cast

__all__ = [
    "HEADER",
    "HEADERS",
    "HEADER_OPERATORS",
    "PROFILES",
    "SUBJECTS",
    "Task",
    "claims",
    "float_tasks",
    "header_tasks",
    "legal",
    "tasks",
    "tasks_of_cast",
    "tasks_of_type",
]

#: A source, which is a type or a dtype, and targets of one kind; or a left operand, and right ones.
Asked = tuple["ApFixed | IeeeFloat | str", tuple[Any, ...]]
#: Shapes that hold in a task: one start of yosys serves them.
TOGETHER = 10
#: Types that people have, for the proofs that take longer.
STANDARD = (
    "ap_fixed<8,4>",
    "ap_fixed<16,6>",
    "ap_fixed<18,8>",
    "ap_fixed<32,16>",
    "ap_ufixed<8,2>",
)
#: Casts at which the loops of two words turn elsewhere, which draws hardly meet: no bit is dropped,
#: one, a word and one more, all but one, all and more; and one word is left.
CAST_EDGES = (
    ("ap_fixed<70,40>", "ap_fixed<69,39>"),
    ("ap_fixed<70,40>", "ap_fixed<69,40>"),
    ("ap_fixed<66,2>", "ap_fixed<65,65>"),
    ("ap_fixed<66,1>", "ap_fixed<4,4>"),
    ("ap_fixed<128,1>", "ap_fixed<2,2>"),
    ("ap_fixed<128,0>", "ap_fixed<65,66>"),
    ("ap_fixed<100,40>", "ap_fixed<64,10>"),
)
#: Dtypes, shapes and saturated bits at which the float loop does: one bit, and a scaling that loses
#: the smallest floats, or the largest.
FLOAT_EDGES = (
    ("float32", "ap_fixed<3,2>", 1),
    ("float64", "ap_fixed<3,5>", 2),
    ("float64", "ap_fixed<2,-800>", 2),
)


@dataclass(frozen=True)
class Task:
    """Some questions about one subject.

    Attributes:
        subject: one of :data:`SUBJECTS` or :data:`HEADERS`.
        asked: sources, which are types or dtypes, each with its targets; of operators the type of
            the left operand with that of the right one; of sums a seed.
    """

    subject: str
    asked: tuple[Asked, ...]


def _casts(asked: tuple[Asked, ...]) -> Iterator[Claim]:
    for source, targets in asked:
        assert isinstance(source, ApFixed)
        yield from kernels.cast_claims(source, targets)


def _rtl(language: str) -> Callable[[tuple[Asked, ...]], Iterator[Claim]]:
    return lambda asked: rtl.cast_claims(asked, rtl.golden_rtl(language))  # type: ignore[arg-type]


def _floats(asked: tuple[Asked, ...]) -> Iterator[Claim]:
    for dtype, targets in asked:
        yield from kernels.float_claims(str(dtype), targets)


def _doubles(asked: tuple[Asked, ...]) -> Iterator[Claim]:
    for _, targets in asked:
        yield from kernels.double_claims(targets)


def _operators(asked: tuple[Asked, ...]) -> Iterator[Claim]:
    for left, rights in asked:
        assert isinstance(left, ApFixed)
        for right in rights:
            yield from operators.operator_claims(left, right)


def _float_codes(asked: tuple[Asked, ...]) -> Iterator[Claim]:
    for source, targets in asked:
        if isinstance(source, str):
            yield from minifloats.float_word_claims(targets)
        else:
            yield from minifloats.float_cast_claims(source, targets)


def _sums(asked: tuple[Asked, ...]) -> Iterator[Claim]:
    from harness.prove.layers.sums import drawn_sum  # needs torch

    for seed, _ in asked:
        yield drawn_sum(int(str(seed)))


#: Who answers, in the order of a report.
SUBJECTS: dict[str, Callable[[tuple[Asked, ...]], Iterator[Claim]]] = {
    "kernels, codes to codes": _casts,
    "kernels, float loop": _floats,
    "kernels, doubles by integers": _doubles,
    "kernels, float types": _float_codes,
    "operators on codes": _operators,
    "layers, compiled sums": _sums,
    "ap_quantize.sv": _rtl("sv"),
    "ap_quantize.vhd": _rtl("vhd"),
}
CASTS, FLOATS, DOUBLES, FLOAT_TYPES, OPERATORS, SUMS, VERILOG, VHDL = SUBJECTS
#: The vendor's own, which a model checker is asked about, and not the solver.
HEADER, HEADER_INTEGERS, HEADER_OPERATORS = HEADERS = (
    "ap_fixed.h, by ESBMC",
    "ap_int.h from and to both, by ESBMC",
    "operators of both, by ESBMC",
)


def claims(task: Task) -> Iterator[Claim]:
    """The questions of a task."""
    return SUBJECTS[task.subject](task.asked)


def legal(shape: ApFixed, n: int) -> tuple[ApFixed, ...]:
    """A type in every rounding and overflow mode, where bits saturate with none of them and ``n``.

    An ``ap_int`` has no modes.
    """
    if isinstance(shape, ApInt):
        return (shape,)
    found = []
    for rounding in Rounding:
        for overflow in Overflow:
            if overflow is Overflow.WRAP_SM and not shape.signed:
                continue
            for bits in sorted({0, n}) if overflow.wraps else (0,):
                found.append(shape.with_modes(rounding=rounding, overflow=overflow, n=bits))
    return tuple(found)


#: How many shapes of each subject, and which types for the longer ones.
PROFILES: dict[str, dict[str, int]] = {
    "quick": {
        CASTS: 100,
        FLOAT_TYPES: 2,
        OPERATORS: 8,
        SUMS: 10,
        VERILOG: 40,
        VHDL: 4,
        FLOATS: 1,
        DOUBLES: 0,
    },
    "full": {
        CASTS: 1000,
        FLOAT_TYPES: 100,
        OPERATORS: 300,
        SUMS: 500,
        VERILOG: 1000,
        VHDL: 50,
        FLOATS: 5,
        DOUBLES: 2,
    },
}


def tasks(profile: str, seed: int = 0) -> list[Task]:
    """The tasks of a profile.

    Raises:
        ValueError: for an unknown profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    wanted, rng = PROFILES[profile], random.Random(seed)
    found = []
    for subject, widest in ((CASTS, 128), (VERILOG, 64), (VHDL, 64)):
        found += _together(subject, [drawn(rng, widest) for _ in range(wanted[subject])])
    found += _together(FLOAT_TYPES, [float_cast(rng) for _ in range(wanted[FLOAT_TYPES])])
    found += _together(OPERATORS, [operands(rng) for _ in range(wanted[OPERATORS])])
    found += _together(SUMS, [(str(rng.randrange(1 << 30)), ()) for _ in range(wanted[SUMS])])
    # The float loop takes float32 of narrow types in float32, and all else in float64.
    dtypes = ("float32", "float64") if profile == "full" else ("float32",)
    for dtype in dtypes:
        for t in STANDARD[: wanted[FLOATS]]:
            found += float_tasks(dtype, t, 3)
    if profile == "full":
        found += _edges()
    wide = (ApFixed(64, 24), ApFixed(60, 20, signed=False))[: wanted[DOUBLES]]
    return found + [Task(DOUBLES, (("float64", legal(t, 3)),)) for t in wide]


def _edges() -> list[Task]:
    """What is asked of the loops where they turn elsewhere, whatever the seed."""
    casts = [(ApFixed.parse(s), legal(ApFixed.parse(t), 2)) for s, t in CAST_EDGES]
    found = _together(CASTS, [*casts])
    for dtype, shape, n in FLOAT_EDGES:
        found += float_tasks(dtype, shape, n)
    return found


def float_tasks(dtype: str, shape: str, n: int) -> list[Task]:
    """The float loop into a shape, a task for each rounding; ``n`` bits saturate, or none."""
    groups = kernels.by_rounding(legal(ApFixed.parse(shape), n))
    return [Task(FLOATS, ((dtype, tuple(group)),)) for group in groups.values()]


def _together(subject: str, asked: list[Asked]) -> list[Task]:
    """Tasks of a few questions each."""
    return [Task(subject, tuple(asked[k : k + TOGETHER])) for k in range(0, len(asked), TOGETHER)]


#: How many pairs of types of each of the headers' subjects.
HEADER_PROFILES: dict[str, tuple[int, int, int]] = {"quick": (4, 4, 4), "full": (20, 14, 16)}
#: How many of a shape's modes a program converts into: each costs seconds, and reading it does too.
MODES = 4


def header_tasks(profile: str, seed: int = 0) -> list[Task]:
    """The tasks of a profile of the vendor's headers, one pair of types each.

    Raises:
        ValueError: for an unknown profile.
    """
    if profile not in HEADER_PROFILES:
        raise ValueError(f"unknown profile {profile!r}; allowed: {', '.join(HEADER_PROFILES)}")
    casts, integers, operators = HEADER_PROFILES[profile]
    rng, asked = random.Random(seed), []
    for _ in range(casts):
        source, targets = drawn(rng, 64)
        asked.append((HEADER, source, tuple(rng.sample(targets, min(MODES, len(targets))))))
    asked += [(HEADER_INTEGERS, *_with_integer(rng)) for _ in range(integers)]
    for _ in range(operators):
        left, right = _operand(rng), _operand(rng)
        asked.append((HEADER_OPERATORS, left, (right,)))
    return [Task(subject, ((source, targets),)) for subject, source, targets in asked]


def _with_integer(rng: random.Random) -> tuple[ApFixed, tuple[ApFixed, ...]]:
    """A cast from an integer, to one, or from one to another."""
    while True:
        source, targets = drawn(rng, 64)
        kind = rng.randrange(3)
        if kind < 2:
            source = ApInt(source.width, signed=source.signed)
        if kind > 0:
            targets = (ApInt(targets[0].width, signed=targets[0].signed),)
        if _exists(source, targets[0]):
            return source, tuple(rng.sample(targets, min(MODES, len(targets))))


def _operand(rng: random.Random) -> ApFixed:
    """Narrow enough for products and quotients of any two; some integers."""
    width, signed = rng.randint(1, 9), rng.random() < 0.6
    if rng.random() < 0.4:
        return ApInt(width, signed=signed)
    overflow = rng.choice((Overflow.WRAP, Overflow.SAT_SYM))  # which a comparison can see
    return ApFixed(width, rng.randint(-1, width + 1), signed, overflow=overflow)


def tasks_of_cast(source: ApFixed, target: ApFixed) -> list[Task]:
    """One cast: by the compiled kernels, and by the RTL."""
    asked: tuple[Asked, ...] = ((source, (target,)),)
    return [Task(CASTS, asked), Task(VERILOG, asked)]


def tasks_of_type(target: ApFixed) -> list[Task]:
    """The floats into one type: by the float loop where it serves, else by integers.

    Raises:
        ValueError: for a type that neither takes.
    """
    if isinstance(target, ApInt) or target.width > 64:
        raise ValueError(f"no compiled loop takes floats into {target}, so there is none to prove")
    found = []
    for dtype in ("float32", "float64"):
        served = float_plan(target, dtype) is not None
        task = Task(FLOATS if served else DOUBLES, ((dtype, (target,)),))
        if served or dtype == "float64":
            found.append(task)
    return found


def drawn(rng: random.Random, widest: int) -> tuple[ApFixed, tuple[ApFixed, ...]]:
    """A source and a target whose bits lie across one another, the target in every mode."""
    while True:
        source, target = _shape(rng, widest), _shape(rng, widest)
        shift = rng.randint(-source.width - 2, target.width + 2)
        integer = target.width - (source.frac + shift)
        target = ApFixed(target.width, integer, target.signed)
        if _exists(source, target):
            return source, legal(target, rng.randint(1, target.width))


def _exists(source: ApFixed, target: ApFixed) -> bool:
    """Whether the headers define the cast."""
    try:
        check_cast(source, target)
    except ValueError:
        return False
    return True


def operands(rng: random.Random) -> Asked:
    """Two types: so narrow that a solver divides, or of up to 64 bits; integers are among them."""
    narrow = rng.random() < 0.25
    left, right = (_shape(rng, 6 if narrow else 64) for _ in range(2))
    left, right = (
        ApInt(t.width, signed=t.signed) if rng.random() < 0.3 else t for t in (left, right)
    )
    return left, (right,)


def float_cast(rng: random.Random) -> Asked:
    """A float type from or into another, or fixed point; or what a double becomes in one."""
    t, kind = _float_type(rng), rng.randrange(4)
    fixed = _shape(rng, 64)
    # Around the bits that the type has.
    fixed = ApFixed(fixed.width, rng.randint(t.emin - 2, t.emax + 4 + fixed.width), fixed.signed)
    if kind == 0:
        return t, legal(fixed, rng.randint(1, fixed.width))
    source = (fixed, _float_type(rng), "float64")[kind - 1]
    return source, minifloats.float_modes(t)


def _float_type(rng: random.Random) -> IeeeFloat:
    """Any that takes NaN and infinities in some way, of so few bits that every kind is common."""
    specials = rng.choice(("ieee", "fn", "fnuz", "none"))
    exp_bits, precision = rng.randint(2, 5), rng.randint(1, minifloats.PRECISION - 1)
    ends = ("saturate",) if specials == "none" else ("inf", "saturate")
    subnormals, overflow = rng.random() < 0.7, rng.choice(ends)
    return IeeeFloat(exp_bits, precision, subnormals, overflow, specials)


def _shape(rng: random.Random, widest: int) -> ApFixed:
    """Narrow types are more common than wide ones."""
    most = min(widest, rng.choices((16, 32, 64, widest), (12, 5, 2, 1))[0])
    signed = rng.random() < 0.7
    width = min(rng.randint(1, most), 127 + signed)  # what two words hold
    return ApFixed(width, rng.randint(-4, width + 4), signed)
