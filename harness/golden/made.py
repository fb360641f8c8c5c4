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
from harness.golden.operators import operator
from harness.golden.plan import File, cast, conversion
from harness.golden.record import Case, GoldenError, Group, Number, Truth, columns_for
from harness.golden.store import truth_of
from harness.golden.stream import Stream
from harness.golden.words import numbers, read
from harness.oracle import Oracle
from harness.report.update import Update
from harness.types import ApFixed, Binary, MiniFloat, Operation, VitisFloat

__all__ = ["encoded", "extended", "made", "operated", "worded"]


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


def operated(
    op: str, ta: Any, tb: Any, ends: tuple[int, ...], count: int, seed: int, oracle: Oracle
) -> Truth:
    """At most ``count`` vectors of an operator, in the type that C++ gives the expression.

    The arguments are those of :func:`harness.golden.operators.operator`.

    Raises:
        ValueError: for what C++ does not have.
        HeaderRefuses: if nobody can witness it.
        Disagreement: if the witness and the reference differ.
    """
    op = Operation.parse(op).value
    stream = Stream(seed, "make", op, ta, tb, *ends)
    question = operator(op, ta, tb, count, stream, ends)
    question = replace(question, inputs=tuple(words[:count] for words in question.inputs))
    file = File("", family_of(ta), "arithmetic", "arithmetic", lambda _: ())
    return truth_of(file, [answered(question, 0, oracle)], oracle, seed)


def worded(path: Path, t: Any, source: Any, oracle: Oracle) -> Truth:
    """The words of a bare file: of ``source``, cast to ``t``; without a source of ``t`` itself.

    Words of ``t`` are values without inputs: nothing is computed, so nobody is asked.

    Raises:
        GoldenError: if the file is malformed, or a word is none of its type.
        ValueError: if nobody can witness the cast.
        Disagreement: if the witness and the reference differ.
    """
    words = read(path, source or t).words
    if source is None:
        cases = tuple(Case((), word) for word in words)
        group = Group("0000", "values", {"expected": t}, path.name, cases, note=path.stem)
    else:
        group = _cast_words(words, source, t, path.stem, oracle)
    shaped = replace(group, shape=(len(words),))
    file = File("", family_of(t), group.operation, "words", lambda _: ())
    return truth_of(file, [shaped], oracle, 0)


def _cast_words(words: list[int], source: Any, t: Any, note: str, oracle: Oracle) -> Group:
    """A group of every word; each distinct one is answered once."""
    operation = "convert" if isinstance(source, Number) else "cast"
    distinct = tuple(dict.fromkeys(words))
    question = Question(operation, columns_for(operation, [source], t), (distinct,))
    group = answered(question, 0, oracle, note=note)
    cases = dict(zip(distinct, group.cases, strict=True))
    return replace(group, cases=tuple(cases[word] for word in words))


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


def _tensor(name: str, tensor: Any, t: Any, place: int, oracle: Oracle) -> Group:
    """A group of every element."""
    number, words = numbers(name, tensor)
    group = _cast_words(words, number, t, name, oracle)
    return replace(group, id=f"{place:04d}", shape=tensor.shape or (1,))
