"""Typed layers on terms: their own Python, with the law in the place of the quantizers."""

import pytest

from harness.hls import Sigmoid
from harness.hls.proof import FAMILIES, Draw
from harness.prove import Untranslatable
from harness.prove.evaluate import value
from harness.prove.layers.carried import carried_out, inputs_of
from harness.prove.terms import Truth, Word
from harness.quantize import to_bits

#: Kernels whose layers are carried out on terms, one of each kind of arithmetic.
CARRIED = (
    "add",
    "average",
    "conv2d, resource",
    "dense_latency",
    "dense_resource, reuse > inputs",
    "depthwise_conv1d",
    "dot1d",
    "hard_sigmoid",
    "leaky_relu",
    "maximum",
    "normalize, per channel",
    "pooling1d, Average",
    "pooling2d, Max",
    "relu_max",
    "transpose",
)


@pytest.mark.parametrize("name", CARRIED)
def test_a_layer_on_terms_is_the_layer(name: str) -> None:
    """The terms of its Python have, at drawn inputs, the codes that it computes; wide sums too."""
    for wide in (False, True):
        draw = (Draw(7, k, wide=wide) for k in range(1000))
        layer = next(x for x in (FAMILIES[name](d) for d in draw) if sum(x.sizes) <= 24)
        words = inputs_of(layer)
        outputs = carried_out(layer, words).ravel()
        batch = Draw(1, wide=wide).inputs(layer, 2)
        given = [
            (word, int(bits))
            for terms, x in zip(words, batch, strict=True)
            for word, bits in zip(terms.ravel(), to_bits(x.codes[0], x.type).ravel(), strict=True)
        ]
        expected = to_bits(layer.run(*batch).codes[0], layer.result).ravel()
        assert [value(word, given) for word in outputs] == [int(bits) for bits in expected]


def test_a_table_is_not_carried_out_on_terms() -> None:
    layer = Sigmoid(input="ap_fixed<8,4>", input_shape=(1,), result="ap_fixed<8,4>")
    with pytest.raises(Untranslatable, match="Sigmoid is not carried out on terms"):
        carried_out(layer, inputs_of(layer))


def test_a_term_is_not_true() -> None:
    """Python must not decide what depends on the input."""
    with pytest.raises(TypeError, match="true for some inputs"):
        bool(Truth(True))
    with pytest.raises(TypeError, match="zero for some inputs"):
        bool(Word.named("x", 3))
