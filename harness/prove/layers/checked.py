"""hls4ml's kernel against the typed layer on terms, by the model checker ESBMC, output by output.

A program gives the kernel any input and asserts that an output has the code of the layer, written
as C from the terms that the layer's own Python makes.  One question is of one output: of a whole
layer at once a solver makes little.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import TypedLayer
from harness.hls.twin import Twin, words
from harness.oracle import Oracle
from harness.prove.checker import (
    OUT_OF_TIME,
    PROVEN,
    Checker,
    CheckerError,
    answer,
    find_esbmc,
)
from harness.prove.evaluate import value
from harness.prove.in_c import as_c
from harness.prove.layers.carried import carried_out, inputs_of
from harness.prove.record import Certificate, Outcome, VacuousError
from harness.prove.terms import Word, all_of, choose
from harness.quantize import from_bits, to_bits

__all__ = ["LayerQuestion", "prove_output"]

#: What its solver is asked: the assertion alone.  Loops have ends that are known.
OPTIONS = ("--no-standard-checks",)


@dataclass
class LayerQuestion:
    """A layer carried out on terms once, for all of its outputs.

    Attributes:
        layer: the layer.
        inputs: a word for each number of the input.
        outputs: the layer's, one after the other.

    Raises:
        Untranslatable: for a layer that is not carried out on terms.
        ValueError: for numbers of more than 64 bits on either side.
    """

    layer: TypedLayer
    inputs: list[Word] = field(init=False)
    outputs: list[Word] = field(init=False)

    def __post_init__(self) -> None:
        layer = self.layer
        outside = (*layer.input_types, layer.result, *(c.type for c in layer.constants()))
        if max(t.width for t in outside) > 64:
            raise ValueError(f"{layer.name}: inputs, parameters and results have up to 64 bits")
        given = inputs_of(layer)
        self.inputs = [word for words in given for word in words.ravel()]
        self.outputs = list(carried_out(layer, given).ravel())

    def program(self, place: int, law: Word) -> str:
        """C++ that runs the kernel on any input and asserts what one output must be."""
        kernel, t = self.layer.kernel(), self.layer.result
        constants = words(self.layer.constants()).tolist()
        types = _each_type(self.layer)
        most = max(*self.layer.sizes, len(constants))
        lines = [f"#define HARNESS_MOST {most}", '#include "layer.h"']
        lines += [f'#include "{kernel.source}"', "int main() {"]
        lines.append(f"std::int64_t a[{len(types)}], out[{self.layer.sizes[-1]}];")
        names = {}
        for k, (word, at) in enumerate(zip(self.inputs, types, strict=True)):
            lines.append(f"const unsigned long long a{k}_word = nondet_word();")
            number, spare = "std::int64_t" if at.signed else "std::uint64_t", 64 - at.width
            lines.append(f"a[{k}] = ({number})(a{k}_word << {spare}) >> {spare};")
            names[word.term.symbol()] = f"a{k}_word"
        lines.append(f"const std::int64_t b[] = {{{', '.join(f'{c}ll' for c in constants)}}};")
        lines.append(f"({kernel.cpp})(a, b, out, 1);")
        statements, name = as_c(law, names, "t")
        lines += statements
        spare = 64 - t.width
        got = f"(unsigned long long)out[{place}] << {spare} >> {spare}"
        lines.append(f'__ESBMC_assert({got} == (unsigned long long){name}, "output {place}");')
        return "\n".join([*lines, "return 0;", "}", ""])

    def row(self, found: Sequence[int]) -> list[Fixed]:
        """The input of these words, as one row."""
        inputs, rest = [], list(found)
        for t, shape in zip(self.layer.input_types, self.layer.input_shapes, strict=True):
            size = int(np.prod(shape))
            codes = from_bits(np.array(rest[:size], np.uint64), t).reshape(1, *shape)
            inputs.append(Fixed(codes, t))
            rest = rest[size:]
        return inputs


def prove_output(
    question: LayerQuestion,
    place: int,
    oracle: Oracle,
    *,
    seconds: float = 300.0,
    checker: Checker | None = None,
) -> Certificate:
    """Whether one output of hls4ml's kernel has the layer's code for all inputs.

    What is carried out of the layer are its sums step by step, as it defines them.

    Args:
        question: the layer, on terms.
        place: which output, counted through.
        oracle: compiles the kernel, where ESBMC refutes it.
        seconds: that ESBMC may take.
        checker: as :func:`~harness.prove.checker.find_esbmc` finds it.

    Raises:
        CheckerError: if ESBMC is missing, does not read the kernel, or says of it what is not what
            the compiler makes of it.
        VacuousError: if a planted fault is not seen.
    """
    checker, started = checker or find_esbmc(), time.perf_counter()
    layer, law = question.layer, question.outputs[place]
    program = question.program(place, law)
    outcome, found = _answered(checker, question, program, place, seconds)
    names = [word.term.symbol() for word in question.inputs]
    planted: list[int] = []
    codes = None
    if outcome is Outcome.PROVEN:
        planted = _planted(checker, question, place, seconds)
        outcome = outcome if planted else Outcome.UNDECIDED
    elif outcome is Outcome.REFUTED:
        mine = value(law, list(zip(question.inputs, found, strict=True)))
        code = Twin(layer, oracle).run(*question.row(found)).codes.ravel()[place]
        theirs = int(to_bits(code, layer.result)[()])
        if mine == theirs:
            raise CheckerError(f"{checker.version} misreads {layer.kernel().cpp} at {found}")
        codes = (mine, theirs)
    total = sum(word.width for word in question.inputs)
    at = ", ".join(map(str, np.unravel_index(place, layer.output_shape)))
    return Certificate(
        question=f"{layer.extra_repr()}, output [{at}], 2**{total} inputs",
        subject=layer.name,
        outcome=outcome,
        claims=1,
        inputs=dict(zip(names, found, strict=False)),
        differs=f"output[{at}]" if codes else "",
        codes=codes,
        planted=dict(zip(names, planted, strict=False)),
        solver=checker.version,
        query_sha256=hashlib.sha256(program.encode()).hexdigest(),
        seconds=time.perf_counter() - started,
        query=program,
    )


def _each_type(layer: TypedLayer) -> list[Any]:
    return [
        t
        for t, shape in zip(layer.input_types, layer.input_shapes, strict=True)
        for _ in range(int(np.prod(shape)))
    ]


def _planted(checker: Checker, question: LayerQuestion, place: int, seconds: float) -> list[int]:
    """An input at which the law was made wrong, and which was found; none if out of time."""
    digest = hashlib.sha256(question.layer.extra_repr().encode()).digest()
    point = [digest[k % len(digest)] % (1 << w.width) for k, w in enumerate(question.inputs)]
    here = all_of(word == at for word, at in zip(question.inputs, point, strict=True))
    law = question.outputs[place]
    program = question.program(place, choose(here, law ^ 1, law))
    outcome, found = _answered(checker, question, program, place, seconds)
    if outcome is Outcome.UNDECIDED:
        return []
    if found != point:
        raise VacuousError(f"{question.layer.name}: {checker.version} sees no planted fault")
    return point


def _answered(
    checker: Checker, question: LayerQuestion, program: str, place: int, seconds: float
) -> tuple[Outcome, list[int]]:
    """What it says, and the words of the input that it refutes with."""
    said, words = answer(checker, program, [f"output {place}"], seconds, options=OPTIONS)
    if said in (PROVEN, OUT_OF_TIME):
        return Outcome.PROVEN if said == PROVEN else Outcome.UNDECIDED, []
    given = enumerate(question.inputs)
    return Outcome.REFUTED, [words[f"a{k}"] % (1 << word.width) for k, word in given]
