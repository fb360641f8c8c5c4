"""Vectors on which somebody else answers otherwise than this project and the hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np

from harness import reference
from harness.bench.peers import PEERS
from harness.extras import Late
from harness.golden.answer import Question, answered, arrays_of, domain_of, kernels_of, vendor_codes
from harness.golden.operators import operator
from harness.golden.plan import MINIFLOATS, cast, conversion
from harness.golden.record import (
    NUMBERS,
    Case,
    Group,
    code_of,
    columns_for,
    operands,
    values,
    word_of,
)
from harness.golden.stream import Stream
from harness.oracle import Oracle
from harness.oracle.domain import CLAUSES
from harness.quantize import quantize_codes
from harness.types import FORMATS, TERNARY, ApFixed, ApInt, MiniFloat

__all__ = ["FLAGS", "divergences", "versions"]

ml_dtypes: Any = Late("ml_dtypes", "divergences.json", "verify")

#: What is shown of each kind of divergence in a group.
SHOWN = 6

#: For each header quirk on finite values: an operation that shows it.
_QUIRKS: dict[str, tuple[Any, ...]] = {
    "sat-sym-one-bit": ("double", ApFixed(1, 1, True, "TRN", "SAT_SYM")),
    "wrap-sm-unrounded-bit": ("cast", ApFixed(8, 6), ApFixed(4, 4, True, "RND", "WRAP_SM")),
    "division-of-minimum": ("/", ApFixed(8, 4), ApFixed(8, 8)),
    "subnormal": ("double", ApFixed(8, -1015, True, "RND_CONV", "SAT")),
    "ap-int-small-negative": ("double", ApInt(8)),
    "ap-int-no-integer-bits": ("cast", ApFixed(8, 0), ApInt(8)),
    "ap-int-division": ("/", ApInt(8, False), ApInt(4)),
    "ap-int-remainder": ("%", ApInt(8, False), ApInt(4)),
    "ap-int-xor-reduce": ("xor_reduce", ApInt(7), None),
    "ap-int-assign-fixed": ("*=", ApInt(8), ApFixed(8, 4)),
    "comparison-unsigned": ("<", ApFixed(32, 32), ApFixed(32, 32, False)),
    "equality-modulo": ("==", ApFixed(8, 8), ApFixed(32, 32, False)),
    "comparison-sat-sym": ("<", ApFixed(8, 3), ApFixed(6, 3, overflow="SAT_SYM")),
}

FLAGS = {
    **{
        f"definition:{name}": f"the definition, without the header's quirk {name}"
        for name in _QUIRKS
    },
    **{
        f"ap_float.h:{clause}": f"outside the validity domain of ap_float.h by its clause {clause}"
        for clause in CLAUSES
    },
    "ml_dtypes:rounds-twice": "ml_dtypes rounds a double to float32 first, then to the format",
    "ternary_tanh:minus-half": "hls4ml's ternary_tanh sends -0.5 to -1 and 0.5 to 0",
    "apytypes:smallest-normal": "apytypes loses the carry into the smallest normal number",
    "quantizers:log2": "quantizers adds 1e-7 before it takes the exponent by log2",
}


def versions() -> dict[str, str]:
    """The versions of the libraries that are asked.

    Raises:
        ValueError: if one is not installed.
    """
    try:
        return {name: metadata.version(name) for name in ("ml_dtypes", "apytypes", "quantizers")}
    except metadata.PackageNotFoundError as error:
        raise ValueError(
            f"divergences.json asks {error.name}, which is not installed: "
            "pip install 'hls-harness[bench]'"
        ) from None


def divergences(stream: Stream, oracle: Oracle) -> Iterator[Group]:
    """Every divergence found so far, a group to each library and type."""
    groups = [*_ap_float(stream, oracle), *_ml_dtypes(oracle), _ternary_tanh(oracle)]
    groups += [_apytypes(oracle), _quantizers(oracle), *_definition(stream, oracle)]
    for k, group in enumerate(groups):
        if not group.cases:
            raise ValueError(f"a divergence is gone: {group.note}; take it out of divergences.py")
        yield replace(group, id=f"{k:04d}")


def _differing(
    group: Group, other: str, words: list[int], note: str, flag: Callable[[int], str]
) -> Group:
    """The cases of a group on which ``words``, by somebody else, differ; a few of each flag."""
    cases, seen = [], dict.fromkeys(FLAGS, 0)
    for k, (case, word) in enumerate(zip(group.cases, words, strict=True)):
        name = flag(k)
        if word != case.expected and seen[name] < SHOWN:
            seen[name] += 1
            cases.append(Case(case.inputs, case.expected, (*case.flags, name), (word,)))
    columns = {**group.columns, other: group.target}
    return replace(group, columns=columns, cases=tuple(cases), note=note)


def _ap_float(stream: Stream, oracle: Oracle) -> Iterator[Group]:
    """The vendor's header outside its validity domain, clause by clause."""
    sources = (ApFixed(12, 4), ApFixed(40, 8), ApFixed(16, -3))
    asked = []
    for t in (*MINIFLOATS[0:6:2], MiniFloat(5, 4, 9), MiniFloat(3, 4, -12)):
        asked.append(conversion("double", t, 400, stream))
        asked += [cast(source, t, 400, stream) for source in sources]
    for _ in oracle.compile([kernel for question in asked for kernel in kernels_of(question)]):
        pass
    for question in asked:
        group = _outside(question, oracle)
        if group is not None and group.cases:
            yield group


def _outside(question: Question, oracle: Oracle) -> Group | None:
    valid = domain_of(question)
    if valid is None or valid.refusal is not None:
        return None
    clauses = valid.broken(arrays_of(question)[0])
    outside = clauses != ""
    if not outside.any():
        return None
    kept = [k for k, away in enumerate(outside.tolist()) if away]
    inputs = tuple(question.inputs[0][k] for k in kept)
    group = answered(replace(question, inputs=(inputs,)), 0, oracle)
    words = [word_of(code, question.target) for code in vendor_codes(question, outside, oracle)]
    note = f"ap_float.h of hls4ml is valid for {valid.describe()}"
    return _differing(group, "ap_float.h", words, note, lambda k: f"ap_float.h:{clauses[kept[k]]}")


def _definition(stream: Stream, oracle: Oracle) -> Iterator[Group]:
    """Where the headers depart from the published definition, quirk by quirk."""
    for name, (operation, *types) in _QUIRKS.items():
        if operation == "double":
            question = conversion("double", types[0], 400, stream)
        elif operation == "cast":
            question = cast(types[0], types[1], 400, stream)
        else:
            question = operator(operation, types[0], types[1], 400, stream)
        group = answered(question, 0, oracle)
        shown = [case for case in group.cases if f"quirk:{name}" in case.flags]
        # The definition has no code for what is not finite.
        shown = [case for case in shown if "quirk:non-finite" not in case.flags]
        kept = replace(group, cases=tuple(shown))
        words = [word_of(_defined(kept, k), group.target) for k in range(len(shown))]
        note = f"the definition: {reference.QUIRKS[name]}"
        flags = [f"definition:{name}"] * len(shown)
        yield _differing(kept, "definition", words, note, flags.__getitem__)


def _defined(group: Group, k: int) -> int:
    """The code that the definition gives for a case."""
    types = list(group.sources.values())
    codes = [code_of(word, t) for word, t in zip(group.cases[k].inputs, types, strict=True)]
    if group.operation == "convert":
        return reference.from_double(codes[0], group.target, published=True)
    if group.operation == "cast":
        return reference.cast(codes[0], types[0], group.target, published=True)
    given = operands(group.operation, codes, types, group.ends)
    return reference.compute(group.operation, *given, published=True)


def _ml_dtypes(oracle: Oracle) -> Iterator[Group]:
    """Doubles just beyond a tie, which float32 rounds onto it."""
    for name in ("bfloat16", "float8_e5m2", "float8_e4m3fn", "float8_e3m4"):
        t = FORMATS[name]
        unit = 2.0 ** (0 - t.frac_bits)
        ties = [(2**t.frac_bits + k + 0.5) * unit for k in range(2 ** min(t.frac_bits, 4))]
        x = np.concatenate([np.nextafter(ties, 0), np.nextafter(ties, 9)])
        question = _asked(np.concatenate([x, -x]), t)
        found = arrays_of(question)[0].astype(getattr(ml_dtypes, name))
        words = found.view(f"u{found.dtype.itemsize}").astype(np.int64).tolist()
        note = f"ml_dtypes, a double as {name}"
        yield _differing(
            answered(question, 0, oracle),
            "ml_dtypes",
            words,
            note,
            lambda _: "ml_dtypes:rounds-twice",
        )


def _asked(x: Any, t: Any) -> Question:
    number = "float" if x.dtype == np.float32 else "double"
    columns = columns_for("convert", [NUMBERS[number]], t)
    return Question("convert", columns, (tuple(word_of(v, NUMBERS[number]) for v in x.tolist()),))


def _ternary_tanh(oracle: Oracle) -> Group:
    source = ApFixed(6, 3)
    question = Question("cast", columns_for("cast", [source], TERNARY), (tuple(range(64)),))
    codes = oracle.activate("ternary_tanh", values(list(range(64)), source), source)
    words = [word_of(code, TERNARY) for code in codes.tolist()]
    group = answered(question, 0, oracle)
    # Beyond +-1 it doubles its input in the input's own type, which wraps: another story.
    inside = [
        k for k, case in enumerate(group.cases) if case.inputs[0] in (*range(16), *range(48, 64))
    ]
    kept = replace(group, cases=tuple(group.cases[k] for k in inside))
    note = "ternary_tanh of hls4ml's nnet_activation.h"
    chosen = [words[k] for k in inside]
    return _differing(kept, "ternary_tanh", chosen, note, lambda _: "ternary_tanh:minus-half")


def _apytypes(oracle: Oracle) -> Group:
    x = np.array([1 - 2**-5, 1 - 2**-6, 1 - 2**-9], np.float32) * np.float32(2.0**-6)
    return _peer("apytypes", x, FORMATS["float8_e4m3"], "apytypes:smallest-normal", oracle)


def _quantizers(oracle: Oracle) -> Group:
    x = np.array([33, 41, 49, 63], np.float32) * np.float32(2.0**-32)
    return _peer("quantizers", x, MiniFloat(5, 6, 0), "quantizers:log2", oracle)


def _peer(name: str, x: Any, t: Any, flag: str, oracle: Oracle) -> Group:
    """A library of the benchmark, on magnitudes that it gets wrong."""
    peer = next(p for p in PEERS if p.distribution == name and isinstance(p.types[0], type(t)))
    question = _asked(np.concatenate([x, -x]), t)
    subject = peer.prepare(arrays_of(question)[0], t)
    codes = quantize_codes(np.asarray(subject.values(subject.call()), np.float64), t)
    words = [word_of(code, t) for code in codes.tolist()]
    note = f"{name}, a float32 as {t}"
    return _differing(answered(question, 0, oracle), name, words, note, lambda _: flag)
