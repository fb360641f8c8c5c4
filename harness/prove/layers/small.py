"""Small layers of every kernel that is known, drawn as the sampled proof draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.hls.layers.layer import TypedLayer
from harness.hls.proof.draw import FAMILIES, VARIANTS, Draw
from harness.hls.proof.run import number_of, twin_of
from harness.hls.twin import Twin
from harness.oracle import Oracle
from harness.prove.checker import find_esbmc
from harness.prove.layers.checked import LayerQuestion, prove_output
from harness.prove.layers.exhaustive import input_count, prove_layer
from harness.prove.record import Certificate
from harness.prove.source import Untranslatable
from harness.report.update import Update
from harness.types import ApFixed

__all__ = ["check_families", "prove_families", "small"]

#: Numbers that a layer takes and gives, of those that a model checker is asked about.
CHECKED = 16
#: Draws of a layer before giving up on one that is small enough.
PATIENCE = 400


def small(name: str, oracle: Oracle, seed: int = 0, bits: int = 16) -> Twin | None:
    """A layer of a kernel that can be given at most ``2**bits`` inputs, beside its twin.

    It is drawn as the sampled proof draws it, but for the inputs' types, which keep their integer
    bits and get as many in all as leave few enough inputs.

    Args:
        name: in :data:`~harness.hls.proof.FAMILIES`.
        oracle: compiles and runs the kernel.
        seed: equal seeds draw equal layers.
        bits: the logarithm of the number of inputs.

    Returns:
        ``None`` if none of many draws can be made small enough.
    """
    for attempt in range(1, PATIENCE + 1):
        layer = FAMILIES[name](Draw(seed, number_of(name), attempt))
        # A few numbers of many codes rather than many of two, as long as that lasts.
        most = bits // 4 if attempt < PATIENCE // 2 else bits
        elements = sum(layer.sizes[:-1])
        narrow = None if elements > most else _narrowed(layer, bits // elements)
        if narrow is None or not 1 < input_count(narrow) <= 1 << bits:
            continue
        twin = twin_of(name, narrow, oracle)
        if twin.refusal() is None:
            return twin
    return None


def _narrowed(layer: TypedLayer, width: int) -> TypedLayer | None:
    """The layer for inputs of at most so many bits; ``None`` if it takes no such type."""
    changes = {
        name: ApFixed(width, t.integer, t.signed)
        for name, t in zip(layer.input_names, layer.input_types, strict=True)
        if t.width > width
    }
    try:
        return layer.retyped(**changes) if changes else layer
    except (TypeError, ValueError):
        return None


def prove_families(
    oracle: Oracle,
    names: Sequence[str],
    *,
    configurations: int = 3,
    bits: int = 16,
    seed: int = 0,
    jobs: int | None = None,
    update: Update = lambda *_: None,
) -> Iterator[tuple[str, list[Certificate]]]:
    """Prove small layers of some kernels for all inputs.

    Args:
        oracle: compiles and runs the kernels.
        names: of kernels, in :data:`~harness.hls.proof.FAMILIES`.
        configurations: layers of each.
        bits: at most ``2**bits`` inputs each.
        seed: decides the layers.
        jobs: compilers to run at once; as many as there are cores by default.
        update: called with what is done, what there is, and what it is about.
    """
    drawn = {
        name: [
            twin
            for k in range(configurations)
            if (twin := small(name, oracle, seed * configurations + k, bits)) is not None
        ]
        for name in names
    }
    wanted = [twin.kernel for each in drawn.values() for twin in each]
    total, done = len(set(wanted)), 0
    for group in oracle.compile(wanted, jobs):
        done += len(group)
        update(done, total, "compiling kernels")
    for k, (name, twins) in enumerate(drawn.items()):
        update(k, len(drawn), f"every input of {name}")
        yield name, [prove_layer(twin.layer, oracle, twin=twin) for twin in twins]


def check_families(
    oracle: Oracle,
    names: Sequence[str],
    *,
    configurations: int = 1,
    seed: int = 0,
    seconds: float = 120.0,
    update: Update = lambda *_: None,
) -> Iterator[tuple[str, list[Certificate]]]:
    """Prove the last output of layers as the sampled proof draws them, by a model checker.

    Kernels that are not carried out on terms, or that stand for another layer's, have none.

    Args:
        oracle: compiles the kernel, where one is refuted.
        names: of kernels, in :data:`~harness.hls.proof.FAMILIES`.
        configurations: layers of each.
        seed: decides the layers.
        seconds: that one question may take.
        update: called with what is done, what there is, and what it is about.

    Raises:
        CheckerError: if ESBMC is missing, or misreads a kernel.
    """
    checker = find_esbmc()
    for k, name in enumerate(names):
        update(k, len(names), name)
        questions = [_question(name, seed * configurations + j) for j in range(configurations)]
        yield (
            name,
            [
                prove_output(q, len(q.outputs) - 1, oracle, seconds=seconds, checker=checker)
                for q in questions
                if q is not None
            ],
        )


def _question(name: str, seed: int) -> LayerQuestion | None:
    """A layer of a kernel on terms; ``None`` if it is none that can be carried out."""
    for attempt in range(1, PATIENCE + 1):
        layer = FAMILIES[name](Draw(seed, number_of(name), attempt))
        if sum(layer.sizes) > CHECKED or name in VARIANTS:
            continue
        try:
            return LayerQuestion(layer)
        except Untranslatable:
            return None
        except ValueError:
            continue  # numbers of more than 64 bits
    return None
