"""Golden vectors of a typed model: the codes of its inputs, parameters and every layer's output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import harness
from harness.fixed import Array, Fixed
from harness.golden.codec import dumps
from harness.golden.files import write_aside
from harness.golden.record import Case, Group, Truth, code_of, columns_for, word_of
from harness.hls.model import Model
from harness.hls.twin import ModelTwin
from harness.names import instead
from harness.oracle import Oracle

__all__ = ["replay_vectors", "vectors", "write_vectors"]

_GIVEN = "given"


def vectors(model: Model, *inputs: Any, oracle: Oracle) -> Truth:
    """The golden vectors of a batch: a group of ``values`` for each tensor, its name as the note.

    Outputs are witnessed by the kernels, layer by layer, and are those of the typed model too.

    Args:
        model: the model.
        inputs: a batch of each input: values, or codes in a ``Fixed``.
        oracle: compiles and runs the kernels.

    Raises:
        ValueError: for an empty batch, or if a layer and its kernel differ: names the layer.
        HeaderRefuses: if a kernel cannot be run.
    """
    batch = model.batch(*inputs)
    if not all(x.codes.size for x in batch):
        raise ValueError("there are no rows to make vectors of")
    mine, theirs = model.layer_outputs(*batch), ModelTwin(model, oracle).layer_outputs(*batch)
    for name, value in theirs.items():
        if not np.array_equal(mine[name].codes, value.codes):
            raise ValueError(f"{name} and its kernel differ; compare() tells where")
    given = [*zip(model.inputs, batch, strict=True), *model.weights().items()]
    tensors = [(name, x, _GIVEN) for name, x in given]
    for step in model.steps:
        kernel = step.layer.kernel()
        witness = _GIVEN if kernel is None else f"hls4ml {kernel.template}"
        tensors.append((step.layer.name, theirs[step.layer.name], witness))
    return Truth(
        family="layers",
        operation="values",
        path="model",
        seed=0,
        generator=f"hls-harness {harness.__version__}",
        compiler=oracle.compiler,
        headers=oracle.headers.sums | oracle.headers.layers,
        witnesses={},
        flags={},
        groups=tuple(_group(k, *tensor) for k, tensor in enumerate(tensors)),
    )


def write_vectors(truth: Truth, path: Path | str) -> None:
    """Write a truth file; ``harness golden emit`` turns it into the formats of testbenches."""
    write_aside(Path(path), dumps(truth))


def replay_vectors(model: Model, truth: Truth) -> dict[str, int]:
    """Run the model on the inputs of golden vectors.

    Returns:
        For each tensor by name how many codes differ from the vectors, of parameters and of
        outputs.

    Raises:
        ValueError: if the vectors are of another model: names what is missing or of other type.
    """
    known = {group.note: _tensor(group) for group in truth.groups}
    for name, (t, shape) in model.inputs.items():
        if name not in known or known[name].type != t or known[name].shape[1:] != shape:
            raise ValueError(f"the vectors have no {name} of {t} and shape {shape}")
    batch = [known[name] for name in model.inputs]
    found = model.weights() | model.layer_outputs(*batch)
    wrong = {}
    for name, x in found.items():
        if name not in known or known[name].type != x.type or known[name].shape != x.shape:
            raise ValueError(f"the vectors have no {name} of {x.type} and shape {x.shape}")
        wrong[name] = int(np.count_nonzero(known[name].codes != x.codes))
    if left := sorted(set(known) - set(found) - set(model.inputs)):
        raise ValueError(f"the model has no {left[0]}; it has {instead(left[0], found)}")
    return wrong


def _group(place: int, name: str, x: Fixed, witness: str) -> Group:
    cases = tuple(Case((), word_of(code, x.type)) for code in x.codes.ravel().tolist())
    columns = columns_for("values", [], x.type)
    return Group(f"{place:04d}", "values", columns, witness, cases, note=name, shape=x.shape)


def _tensor(group: Group) -> Fixed:
    codes: Array = np.empty(len(group.cases), object if group.target.width > 64 else np.int64)
    codes[:] = [code_of(w, group.target) for w in group.words("expected")]
    return Fixed(codes.reshape(group.shape), group.target)
