"""Quantized normalizations: torch's own without points, the formulas with them."""

import copy

import pytest
import torch
from torch import nn

from harness.nn import FixedQuantizer, compute_encodings
from harness.nn.base import ExplicitModule
from harness.nn.norm import QuantizedLayerNorm, QuantizedRMSNorm
from harness.quantize import quantize
from harness.types import parse_type

FINE = "ap_fixed<52,10,AP_RND_CONV,AP_SAT>"
COARSE = parse_type("ap_fixed<8,4,AP_RND_CONV,AP_SAT>")
CASES = [
    pytest.param(kind, shape, options, id=f"{kind.__name__}-{shape}-{options}")
    for kind, choices in (
        (QuantizedLayerNorm, ({}, {"bias": False}, {"elementwise_affine": False}, {"eps": 0.1})),
        (QuantizedRMSNorm, ({}, {"elementwise_affine": False}, {"eps": 0.1})),
    )
    for shape in (6, (3, 6))
    for options in choices
]
POINTS = [
    pytest.param(kind, point, id=f"{kind.__name__}-{point}")
    for kind in (QuantizedLayerNorm, QuantizedRMSNorm)
    for point in kind.points
]


def made(kind, shape=6, dtype=torch.float64, **options):
    """A module with other than the initial parameters."""
    torch.manual_seed(1)
    module = kind(shape, **options, dtype=dtype)
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.5, 2)
    return module


def inputs(dtype=torch.float64):
    return torch.randn(4, 3, 6, generator=torch.Generator().manual_seed(2)).to(dtype) * 3 + 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("kind", "shape", "options"), CASES)
def test_is_its_parent_bit_for_bit_without_points(kind, shape, options, dtype):
    module = made(kind, shape, dtype, **options)
    parent = kind.parent()(shape, **options, dtype=dtype)
    parent.load_state_dict(module.state_dict(), strict=True)
    assert torch.equal(module(inputs(dtype)), parent(inputs(dtype)))
    assert torch.equal(kind.from_module(parent)(inputs(dtype)), parent(inputs(dtype)))
    assert torch.equal(module.original()(inputs(dtype)), parent(inputs(dtype)))


@pytest.mark.parametrize(("kind", "shape", "options"), CASES)
def test_single_operations_compute_the_same(kind, shape, options):
    module = made(kind, shape, **options)
    expected = module(inputs())
    module.intermediate_quantizers["normalized"] = FixedQuantizer(FINE)
    assert module.is_explicit()
    torch.testing.assert_close(module(inputs()), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [QuantizedLayerNorm, QuantizedRMSNorm])
def test_half_precision_is_computed_in_float32_and_comes_back(kind):
    module = made(kind, dtype=torch.bfloat16)
    expected = module(inputs(torch.bfloat16))
    seen = []
    module.intermediate_quantizers["normalized"] = FixedQuantizer("ap_fixed<24,8>")
    module.intermediate_quantizers["normalized"].register_forward_hook(
        lambda _, args, result: seen.append(result)
    )
    result = module(inputs(torch.bfloat16))
    assert seen[0].dtype == torch.float32
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize(("kind", "point"), POINTS)
def test_a_point_is_quantized(kind, point):
    module = made(kind)
    plain = module(inputs())
    seen = []
    module.intermediate_quantizers[point] = FixedQuantizer(COARSE)
    module.intermediate_quantizers[point].register_forward_hook(
        lambda _, args, result: seen.append((args[0], result))
    )
    result = module(inputs())
    ((before, after),) = seen
    assert torch.equal(after, quantize(before.detach(), COARSE))
    assert not torch.equal(before, after)
    assert not torch.equal(result, plain)


def test_each_point_of_layer_norm_is_what_its_name_says():
    module, seen = made(QuantizedLayerNorm), {}
    for point in module.points:
        module.intermediate_quantizers[point] = FixedQuantizer(FINE)
        module.intermediate_quantizers[point].register_forward_pre_hook(
            lambda _, args, point=point: seen.update({point: args[0].detach()})
        )
    x = inputs()
    module(x)
    variance, mean = torch.var_mean(x, -1, correction=0, keepdim=True)
    deviation = (variance + module.eps).sqrt()
    expected = {
        "mean": mean,
        "variance": variance,
        "inverse_deviation": 1 / deviation,
        "normalized": (x - mean) / deviation,
    }
    assert seen.keys() == expected.keys()
    for point, value in expected.items():
        torch.testing.assert_close(seen[point], value, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [QuantizedLayerNorm, QuantizedRMSNorm])
def test_gradients_reach_input_and_parameters(kind):
    module = made(kind)
    for point in module.points:
        module.intermediate_quantizers[point] = FixedQuantizer("ap_fixed<24,10,RND,SAT>")
    x = inputs().requires_grad_()
    module(x).square().sum().backward()
    for tensor in (x, *module.parameters()):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.any()


@pytest.mark.parametrize("kind", [QuantizedLayerNorm, QuantizedRMSNorm])
def test_state_and_copies_keep_calibrated_points(kind):
    module, other = made(kind), made(kind)
    for each in (module, other):
        for point in each.points:
            each.intermediate_quantizers[point] = FixedQuantizer(width=8)
    with compute_encodings(module):
        module(inputs())
    other.load_state_dict(module.state_dict(), strict=True)
    assert torch.equal(other(inputs()), module(inputs()))
    assert torch.equal(copy.deepcopy(module)(inputs()), module(inputs()))


@pytest.mark.parametrize("kind", [QuantizedLayerNorm, QuantizedRMSNorm])
def test_another_shape_is_refused(kind):
    module = made(kind)
    module.intermediate_quantizers["normalized"] = FixedQuantizer(COARSE)
    with pytest.raises(RuntimeError, match="last dimensions"):
        module(torch.ones(2, 5, dtype=torch.float64))


def test_an_explicit_module_says_how_it_computes():
    with pytest.raises(NotImplementedError):
        ExplicitModule.explicit(made(QuantizedLayerNorm))


def test_a_kernel_replaces_both_paths():
    module = made(QuantizedLayerNorm)
    module.intermediate_quantizers["mean"] = FixedQuantizer(COARSE)
    module.set_kernel(lambda x, weight, bias: x + weight + bias)
    x = inputs()
    assert torch.equal(module(x), x + module.weight + module.bias)
