"""Golden vectors to order: for the user's own type or cast, or of the user's own tensors."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.golden.answer import Question, answered
from harness.golden.inputs import codes_for
from harness.golden.plan import File, cast, conversion
from harness.golden.record import NUMBERS, GoldenError, Group, Truth, columns_for, word_of
from harness.golden.store import truth_of
from harness.golden.stream import Stream
from harness.oracle import Oracle
from harness.report.update import Update
from harness.types import ApFixed, Binary, MiniFloat, VitisFloat

__all__ = ["encoded", "extended", "made"]

_BY_DTYPE = {"f2": "float", "f4": "float", "f8": "double"}


def made(t: Any, source: Any, count: int, seed: int, oracle: Oracle) -> Truth:
    """At most ``count`` vectors of a conversion to ``t``: from doubles, or from ``source``.

    Raises:
        ValueError: if nobody can witness it.
        Disagreement: if the witness and the reference differ.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    stream = Stream(seed, "make", t, source)
    if source is None and isinstance(t, Binary):
        raise ValueError("binary is witnessed from fixed point alone; name one with --source")
    if source is None:
        question, path = conversion("double", t, count, stream), "double"
    else:
        question, path = cast(source, t, count, stream), "cast"
    question = replace(question, inputs=tuple(words[:count] for words in question.inputs))
    file = File("", family_of(t), path if path == "cast" else "conversion", path, lambda _: ())
    return truth_of(file, [answered(question, 0, oracle)], oracle, seed)


def encoded(path: Path, t: Any, oracle: Oracle, progress: Update = lambda *_: None) -> Truth:
    """The tensors of an ``.npz`` or ``.npy`` file in type ``t``, a group to each, in C order.

    float16 and float32 count as C++ ``float``, float64 as ``double``, integers as 64-bit ones.

    Raises:
        GoldenError: if the file is missing or no such file, or has nothing to encode.
        ValueError: for a dtype that no C++ number has, or what nobody can witness.
    """
    tensors, groups = _tensors(path), []
    for k, (name, tensor) in enumerate(tensors.items()):
        progress(k, len(tensors), name)
        groups.append(_tensor(name, tensor, t, k, oracle))
    file = File("", family_of(t), "conversion", "tensor", lambda _: ())
    return truth_of(file, groups, oracle, 0)


def extended(
    truth: Truth, count: int, oracle: Oracle, progress: Update = lambda *_: None
) -> tuple[Group, ...]:
    """The casts of a truth file, and new vectors of the same types: ``count`` and more in all."""
    groups, left = [], count - truth.count
    roomy = {g.id for g in truth.groups if 1 << g.columns["a"].width > 2 * len(g.cases)}
    share = -(-left // max(len(roomy), 1))
    for k, group in enumerate(truth.groups):
        progress(k, len(truth.groups), "making more vectors")
        groups.append(group)
        if group.id in roomy:
            a, t = group.columns["a"], group.target
            stream = Stream("extended", group.id, group.digest)
            known = {case.inputs for case in group.cases}
            words = codes_for(a, t, len(group.cases) + share, stream)
            fresh = tuple(word for word in words if (word,) not in known)
            more = answered(Question("cast", group.columns, (fresh,)), k, oracle)
            groups[-1] = replace(group, cases=(*group.cases, *more.cases))
    return tuple(groups)


def family_of(t: Any) -> str:
    """The family of a type, as truth files name it."""
    names = ((ApFixed, "fixed"), (Binary, "binary"), (MiniFloat, "minifloat"))
    found = next((name for kind, name in names if isinstance(t, kind)), None)
    return found or ("vitis" if isinstance(t, VitisFloat) else "ieee")


def _tensors(path: Path) -> dict[str, Any]:
    try:
        loaded: Any = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
        tensors = {path.stem: loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except OSError as error:
        raise GoldenError(path, None, f"cannot be read: {error.strerror or error}") from None
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise GoldenError(path, None, f"is no .npz or .npy of numbers: {error}") from None
    for name, tensor in tensors.items():
        if tensor.size == 0:
            raise GoldenError(path, None, f"{name} is empty")
    if not tensors:
        raise GoldenError(path, None, "has no arrays")
    return tensors


def _tensor(name: str, tensor: Any, t: Any, place: int, oracle: Oracle) -> Any:
    """A group of every element; each distinct word is answered once."""
    kind = tensor.dtype.kind
    if kind == "f" and tensor.dtype.itemsize <= 8:
        number = NUMBERS[_BY_DTYPE[tensor.dtype.str[1:]]]
    elif kind in "iub":
        number = NUMBERS["std::uint64_t" if kind == "u" else "std::int64_t"]
    else:
        raise ValueError(f"{name} is {tensor.dtype}; allowed: floats up to 64 bits, integers")
    words = [word_of(x, number) for x in tensor.ravel().tolist()]
    distinct = tuple(dict.fromkeys(words))
    question = Question("convert", columns_for("convert", [number], t), (distinct,))
    group = answered(question, place, oracle, note=name)
    cases = dict(zip(distinct, group.cases, strict=True))
    shape = tensor.shape or (1,)
    return replace(group, cases=tuple(cases[word] for word in words), shape=shape)
