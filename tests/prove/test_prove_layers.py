"""Typed layers and hls4ml's kernels for every input: as they run, and by a model checker."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.fixed import Fixed
from harness.hls import Dense, DepthwiseConv1D, MaxPooling1D, ReLU, TypedLayer
from harness.hls.twin import Twin
from harness.oracle import Oracle
from harness.prove import Outcome
from harness.prove.checker import CheckerError, find_esbmc
from harness.prove.layers import (
    LayerQuestion,
    TooManyError,
    input_count,
    prove_layer,
    prove_output,
)
from harness.prove.layers.exhaustive import _inputs
from harness.quantize import from_bits, to_bits
from harness.types import ApFixed

try:
    CHECKER = find_esbmc()
except CheckerError as error:
    CHECKER = None
    WHY = str(error)

installed = pytest.mark.skipif(CHECKER is None, reason="" if CHECKER else WHY)
WEIGHT = ApFixed(6, 2)


def dense(*weights: int, accum: str = "ap_fixed<8,3,AP_RND,AP_SAT>") -> Dense:
    """Inputs of five bits and one output."""
    return Dense(
        Fixed(np.array(weights)[:, None], WEIGHT),
        Fixed(np.array([5]), WEIGHT),
        input="ap_fixed<5,3>",
        weight_type=WEIGHT,
        bias_type=WEIGHT,
        accum=accum,
        result="ap_fixed<6,4,AP_RND_CONV,AP_SAT_SYM>",
    )


def row(layer: TypedLayer, inputs: dict[str, int]) -> list[Fixed]:
    """The one row of an input that a certificate names."""
    words, rows = list(inputs.values()), []
    for t, shape in zip(layer.input_types, layer.input_shapes, strict=True):
        size = int(np.prod(shape))
        codes = from_bits(np.array(words[:size], np.uint64), t)
        rows.append(Fixed(codes.reshape(1, *shape), t))
        words = words[size:]
    return rows


def test_every_input_is_counted_through_once() -> None:
    layer = dense(1, 2, 3)
    total = input_count(layer)
    assert total == 2**15
    (x,) = _inputs(layer, 0, total)
    assert len(np.unique(x.codes.reshape(total, -1), axis=0)) == total
    assert (x.codes.min(), x.codes.max()) == (-16, 15)


def test_a_layer_is_proven(oracle: Oracle) -> None:
    found = prove_layer(dense(13, -30), oracle)
    assert found.outcome is Outcome.PROVEN
    assert "2**10 inputs" in found.question
    assert found.claims == 2**10
    assert set(found.planted) == {"input[0]", "input[1]"}


def test_a_wrong_weight_is_refuted_where_it_shows(oracle: Oracle) -> None:
    layer, other = dense(13, -30), dense(13, -29)
    found = prove_layer(layer, oracle, twin=Twin(other, oracle))
    assert found.outcome is Outcome.REFUTED
    inputs = row(layer, found.inputs)
    got = [int(to_bits(x.run(*inputs).codes.ravel(), layer.result)[0]) for x in (layer, other)]
    assert found.codes == tuple(got)
    assert got[0] != got[1]


def test_too_many_inputs_are_refused(oracle: Oracle) -> None:
    with pytest.raises(TooManyError, match=r"Dense can be given 2\*\*35 inputs; at most 2\*\*32"):
        prove_layer(dense(*[1] * 7), oracle)
    widest = ReLU(input="ap_fixed<200,6>", input_shape=(2,), result="ap_fixed<8,4>")
    assert input_count(widest) == 2**400
    with pytest.raises(TooManyError, match=r"ReLU can be given 2\*\*400 inputs"):
        prove_layer(widest, oracle)


def test_single_pixels_in_a_row_are_counted_together(oracle: Oracle) -> None:
    """Found by running every input: hls4ml's count of a depthwise row is that of all its pixels."""
    bit = ApFixed(1, 1, signed=False)
    layer = DepthwiseConv1D(
        Fixed(np.zeros((1, 2, 1), np.int64), "ap_uint<1>"),
        input="ap_uint<1>",
        input_shape=(4, 2),
        weight_type="ap_uint<1>",
        bias_type=bit,
        accum="ap_int<8>",
        result="ap_int<8>",
        product="both_binary",
    )
    assert layer.n_in == 8
    assert prove_layer(layer, oracle).outcome is Outcome.PROVEN


@installed
@pytest.mark.parametrize(
    "layer",
    [
        dense(13, -30),
        MaxPooling1D(
            input="ap_fixed<5,3>",
            input_shape=(3, 1),
            pool_width=3,
            accum="ap_fixed<8,4>",
            result="ap_fixed<4,2,AP_RND,AP_SAT>",
        ),
    ],
    ids=lambda layer: layer.name,
)
def test_a_kernel_is_the_layer(layer: TypedLayer, oracle: Oracle) -> None:
    """hls4ml's kernel, as a model checker reads it, beside the layer on terms."""
    found = prove_output(LayerQuestion(layer), 0, oracle, checker=CHECKER)
    assert found.outcome is Outcome.PROVEN
    assert found.planted


@installed
def test_a_kernel_that_is_another_is_refuted(oracle: Oracle) -> None:
    """The input that the checker finds is run, and the codes are those of both."""
    layer, other = dense(13, -30), dense(13, -29)
    question = LayerQuestion(layer)
    wrong = LayerQuestion(other)
    question.inputs, question.outputs = wrong.inputs, wrong.outputs
    found = prove_output(question, 0, oracle, checker=CHECKER)
    assert found.outcome is Outcome.REFUTED
    inputs = row(layer, found.inputs)
    codes = [int(to_bits(x.run(*inputs).codes.ravel(), x.result)[0]) for x in (other, layer)]
    assert found.codes == tuple(codes)


def test_the_command(oracle: Oracle) -> None:
    arguments = ["prove-layers", "--kernel", "thresholded_relu", "--bits", "8", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["outcome"] == "proven"
    (one,) = said["certificates"]
    assert one["subject"] == "ThresholdedReLU"
    assert one["planted"]


def test_the_command_refuses_a_kernel_that_is_none() -> None:
    result = CliRunner().invoke(app, ["prove-layers", "--kernel", "densest"])
    assert result.exit_code != 0
    assert "no kernel is called 'densest'" in str(result.exception)
