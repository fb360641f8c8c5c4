"""Layer normalisation to draw."""

from __future__ import annotations

from harness.hls.layers.norm import LayerNorm
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed, Overflow, Rounding

__all__: list[str] = []

TABLE = ApFixed(8, 5, False, Rounding.RND_CONV, Overflow.SAT)


@family("layernormalize")
def _layer_norm(draw: Draw) -> LayerNorm:
    channels = draw.integer(1, 9)
    scale, bias = draw.type(), draw.type()
    return LayerNorm(
        draw.codes(scale, (channels,)),
        draw.codes(bias, (channels,)),
        # Small inputs, whose variance is within the table, and any others.
        input=draw.choice([draw.type(6, 18, integer=(-1, 2)), draw.type()]),
        input_shape=draw.choice([(channels,), (draw.integer(1, 4), channels)]),
        scale_type=scale,
        bias_type=bias,
        accum=draw.choice([draw.accumulator(), draw.type(18, 36, integer=(2, 9))]),
        result=draw.type(),
        table_type=draw.choice([TABLE, draw.type(), draw.type(12, 40, integer=(2, 9))]),
        table_size=draw.choice([4096, 1024, draw.integer(1, 3000)]),
        epsilon_power_of_10=draw.choice([3, draw.integer(0, 9)]),
        table_range_power2=draw.choice([0, draw.integer(0, 10)]),
    )
