"""Quantized attention and transformers: torch's own without quantizers, and no leaks with them."""

import copy
import math

import pytest
import torch
from torch import nn

from harness.nn import BinaryQuantizer, FixedQuantizer, compute_encodings
from harness.nn.attention import (
    QuantizedMultiheadAttention,
    QuantizedTransformer,
    QuantizedTransformerDecoder,
    QuantizedTransformerDecoderLayer,
    QuantizedTransformerEncoder,
    QuantizedTransformerEncoderLayer,
)
from harness.nn.base import QuantizedModule
from harness.quantize import quantize
from harness.types import parse_type

FINE = "ap_fixed<52,10,AP_RND_CONV,AP_SAT>"
COARSE = parse_type("ap_fixed<6,2,AP_RND_CONV,AP_SAT>")
MIDDLING = "ap_fixed<24,10,RND,SAT>"
N, L, S, E, H = 3, 4, 5, 6, 2

BUILDS = {
    "same": {},
    "no-bias": {"bias": False},
    "widths": {"kdim": 3, "vdim": 5},
    "widths-no-bias": {"kdim": 3, "vdim": 5, "bias": False},
    "bias-kv": {"add_bias_kv": True},
    "zero": {"add_zero_attn": True},
    "bias-kv-zero": {"add_bias_kv": True, "add_zero_attn": True, "kdim": 4},
}
MASKS = ("none", "padding", "attention", "both", "heads", "float", "float-both", "causal")
FORMS = ("batched", "batch-first", "unbatched")
LAYERS = [QuantizedTransformerEncoderLayer, QuantizedTransformerDecoderLayer]


def normal(*shape, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def made(kind, *args, dtype=torch.float64, **options):
    """A module whose parameters are all other than 0 and 1."""
    torch.manual_seed(1)
    module = kind(*args, **options, dtype=dtype)
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -0.7, 0.7)
    return module


def attention(build="same", **options):
    return made(QuantizedMultiheadAttention, E, H, **BUILDS[build], **options)


def inputs(module, form):
    """Query, key and value of the form."""
    widths = (E, module.kdim, module.vdim)
    lengths = (L, S, S)
    sizes = zip(lengths, widths, (3, 4, 5), strict=True)
    xs = [normal(length, N, width, seed=seed) for length, width, seed in sizes]
    if form == "unbatched":
        return [x[:, 0] for x in xs]
    return [x.transpose(0, 1) for x in xs] if form == "batch-first" else xs


def masks(which, form):
    """Keyword arguments; no row is masked entirely."""
    batch = 1 if form == "unbatched" else N
    padding = torch.zeros(batch, S, dtype=torch.bool)
    padding[0, 3:] = True
    padding = padding[0] if form == "unbatched" else padding
    blocked = torch.ones(L, S).triu(1).bool()
    added = normal(L, S, seed=6).masked_fill(blocked, -math.inf)
    each = torch.stack([blocked.roll(k, 0) for k in range(batch * H)])
    each[..., 0] = False
    float_padding = torch.zeros(padding.shape).double().masked_fill(padding, -math.inf)
    return {
        "none": {},
        "padding": {"key_padding_mask": padding},
        "attention": {"attn_mask": blocked},
        "both": {"attn_mask": blocked, "key_padding_mask": padding},
        "heads": {"attn_mask": each},
        "float": {"attn_mask": added},
        "float-both": {"attn_mask": added, "key_padding_mask": float_padding},
        "causal": {"attn_mask": blocked, "is_causal": True},
    }[which]


def assert_same(actual, expected):
    assert type(actual) is type(expected)
    if isinstance(expected, tuple):
        for a, e in zip(actual, expected, strict=True):
            assert_same(a, e)
    elif expected is not None:
        assert torch.equal(actual, expected)


def assert_close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-9)


def recorded(quantizer):
    """A list that fills with what goes into a quantizer and what comes out."""
    seen = []
    quantizer.register_forward_hook(
        lambda _, args, result: seen.append((args[0].detach(), result.detach()))
    )
    return seen


@pytest.mark.parametrize("which", MASKS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("build", BUILDS)
def test_is_its_parent_without_quantizers_and_computes_the_same_with_them(build, form, which):
    module = attention(build, batch_first=form == "batch-first")
    parent = nn.MultiheadAttention(
        E, H, **BUILDS[build], batch_first=form == "batch-first", dtype=torch.float64
    )
    parent.load_state_dict(module.state_dict(), strict=True)
    chosen = masks(which, form)
    xs = inputs(module, form)
    for need, average in ((False, True), (True, True), (True, False)):
        options = {**chosen, "need_weights": need, "average_attn_weights": average}
        module.intermediate_quantizers["scores"] = None
        expected = parent(*xs, **options)
        assert_same(module(*xs, **options), expected)

        module.intermediate_quantizers["scores"] = FixedQuantizer(FINE)
        assert module.is_explicit()
        # Given the hint alone, torch masks what is appended to the keys, too.
        expected = parent(*xs, **{**options, "is_causal": False})
        assert_close(module(*xs, **options), expected)


@pytest.mark.parametrize("which", ["none", "padding"])
def test_the_fast_path_is_the_parent_s(which):
    module = attention(batch_first=True).eval()
    parent = module.original()
    assert type(parent.out_proj) is type(nn.MultiheadAttention(E, H).out_proj)
    x = normal(N, S, E)
    with torch.no_grad():
        expected = parent(x, x, x, **masks(which, "batch-first"))
        assert_same(module(x, x, x, **masks(which, "batch-first")), expected)
        assert_same(
            QuantizedMultiheadAttention.from_module(parent)(x, x, x, **masks(which, "batch-first")),
            expected,
        )
        module.intermediate_quantizers["attended"] = FixedQuantizer(FINE)
        assert_close(module(x, x, x, **masks(which, "batch-first")), expected)


def test_drops_out_probabilities_while_training():
    module = attention(dropout=0.5)
    xs = inputs(module, "batched")
    torch.manual_seed(5)
    expected = module(*xs)
    module.intermediate_quantizers["dropout"] = FixedQuantizer(FINE)
    torch.manual_seed(5)
    assert_close(module(*xs), expected)
    module.eval()
    assert_same(module(*xs), module(*xs))


@pytest.mark.parametrize("point", QuantizedMultiheadAttention.points)
def test_a_point_is_quantized(point):
    module = attention("bias-kv")
    xs = inputs(module, "batched")
    plain = module(*xs, **masks("both", "batched"))
    module.intermediate_quantizers[point] = FixedQuantizer(COARSE)
    seen = recorded(module.intermediate_quantizers[point])
    result = module(*xs, **masks("both", "batched"))
    ((before, after),) = seen
    assert torch.equal(after, quantize(before, COARSE))
    assert not torch.equal(before, after)
    assert not torch.equal(result[0], plain[0])


def test_each_point_is_what_its_name_says():
    module, seen = attention(), {}
    for point in module.points:
        module.intermediate_quantizers[point] = FixedQuantizer(FINE)
        seen[point] = recorded(module.intermediate_quantizers[point])
    x = normal(L, E)
    module(x, x, x)
    q, k, v = (x @ module.in_proj_weight.T + module.in_proj_bias).chunk(3, 1)
    q, k, v = (y.unflatten(1, (H, E // H)).transpose(0, 1) for y in (q, k, v))
    scores = q @ k.transpose(1, 2) / math.sqrt(E // H)
    expected = {
        "q": q,
        "k": k,
        "v": v,
        "scaled_query": q / math.sqrt(E // H),
        "scores": scores,
        "softmax": scores.softmax(-1),
        "dropout": scores.softmax(-1),
        "attended": scores.softmax(-1) @ v,
    }
    assert seen.keys() == expected.keys()
    for point, value in expected.items():
        assert_close(seen[point][0][0], value.detach())


def quantize_all(module, t=MIDDLING):
    """Quantize every point, parameter, input and output of a module and of those below it."""
    for each in module.modules():
        if isinstance(each, QuantizedModule):
            for quantizers in (each.intermediate_quantizers, each.param_quantizers):
                for name in quantizers:
                    quantizers[name] = FixedQuantizer(t)
            each.output_quantizers[0] = FixedQuantizer(t)
    return module


def test_quantized_parameters_are_as_parameters_on_the_grid():
    for build in ("bias-kv", "widths"):
        module, on_grid = attention(build), attention(build)
        before = dict(module.named_parameters())
        for each in (module, module.out_proj):
            for name in each.param_quantizers:
                each.param_quantizers[name] = FixedQuantizer(COARSE)
        for parameter in on_grid.parameters():
            parameter.data = quantize(parameter.detach(), COARSE)
        xs = inputs(module, "batched")
        assert_close(module(*xs), on_grid(*xs))
        after = dict(module.named_parameters())
        assert all(after[name] is before[name] for name in before)


@pytest.mark.parametrize("build", BUILDS)
def test_gradients_reach_inputs_and_parameters(build):
    module = quantize_all(attention(build))
    xs = [x.requires_grad_() for x in inputs(module, "batched")]
    mask = masks("attention", "batched")["attn_mask"].clone()
    mask[1] = True
    module(*xs, attn_mask=mask)[0].square().sum().backward()
    for tensor in (*xs, *module.parameters()):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.any()


@pytest.mark.parametrize("kind", ["bool", "float"])
@pytest.mark.parametrize("point", [None, *QuantizedMultiheadAttention.points])
@pytest.mark.parametrize("build", ["same", "bias-kv-zero"])
def test_what_is_masked_changes_no_bit(build, point, kind):
    # -1 and 1 alone: a score cannot say that it is masked, nor a probability that it is 0.
    quantizer = BinaryQuantizer() if point else FixedQuantizer(FINE)
    module = attention(build)
    module.intermediate_quantizers[point or "scores"] = quantizer
    padding = torch.tensor([[False] * 3 + [True] * 2] * N)
    if kind == "float":
        padding = torch.zeros(N, S).double().masked_fill(padding, -math.inf)
    query, key, value = inputs(module, "batched")
    expected = module(query, key, value, key_padding_mask=padding)
    assert not expected[1][..., 3:5].any()
    for other in (1e9, -0.0, math.inf, math.nan):
        changed = [x.clone() for x in (key, value)]
        for x in changed:
            x[3:] = other
        assert_same(module(query, *changed, key_padding_mask=padding), expected)


def test_what_a_row_may_not_see_changes_none_of_its_bits():
    module = quantize_all(attention(), "ap_fixed<8,3,RND,SAT>")
    query, key, value = inputs(module, "batched")
    mask = masks("causal", "batched")
    expected = module(query, key, value, **mask)
    key[3:], value[3:] = 100, -100
    actual = module(query, key, value, **mask)
    assert torch.equal(actual[0][:3], expected[0][:3])
    assert torch.equal(actual[1][:, :3], expected[1][:, :3])
    assert not torch.equal(actual[0][3], expected[0][3])


@pytest.mark.parametrize("point", QuantizedMultiheadAttention.points)
def test_a_row_that_is_masked_entirely_attends_to_nothing(point):
    module = attention()
    module.intermediate_quantizers[point] = FixedQuantizer(COARSE)
    mask = torch.zeros(L, S, dtype=torch.bool)
    mask[1] = True
    padding = torch.zeros(N, S, dtype=torch.bool)
    padding[2] = True
    y, weights = module(*inputs(module, "batched"), attn_mask=mask, key_padding_mask=padding)
    assert y.isfinite().all()
    assert not weights[:, 1].any()
    assert not weights[2].any()
    assert torch.equal(y[1], module.out_proj.bias.expand(N, E))
    y.sum().backward()
    assert all(p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_wrong_masks_and_nested_tensors_are_refused():
    module = attention(batch_first=True)
    module.intermediate_quantizers["scores"] = FixedQuantizer(FINE)
    xs = inputs(module, "batch-first")
    with pytest.raises(RuntimeError, match="is_causal"):
        module(*xs, is_causal=True)
    with pytest.raises(RuntimeError, match="attn_mask has shape"):
        module(*xs, attn_mask=torch.zeros(L, 1))
    with pytest.raises(RuntimeError, match="key_padding_mask has shape"):
        module(*xs, key_padding_mask=torch.zeros(1, S))
    with pytest.raises(TypeError, match="bool or float"):
        module(*xs, key_padding_mask=torch.zeros(N, S, dtype=torch.int))
    nested = torch._nested_tensor_from_mask(xs[0], torch.ones(N, L, dtype=torch.bool))
    with pytest.raises(TypeError, match="nested"):
        module(nested, nested, nested)


def test_input_and_output_quantizers_alone_leave_the_parent_s_forward():
    module = attention()
    xs = inputs(module, "batched")
    for k in range(3):
        module.input_quantizers[k] = FixedQuantizer(COARSE)
    module.output_quantizers[0] = FixedQuantizer(COARSE)
    assert not module.is_explicit()
    y, weights = module.original()(*(quantize(x, COARSE) for x in xs), attn_mask=None)
    assert_same(module(*xs), (quantize(y.detach(), COARSE), weights))


# Layers and whole transformers.


def layer(kind, **options):
    return made(kind, E, H, 8, **{"dropout": 0.0, **options})


def layer_inputs(kind, form, masked):
    """Arguments and keyword arguments of a layer."""
    tgt, memory = normal(L, N, E), normal(S, N, E, seed=3)
    padding = torch.tensor([[False] * 3 + [True]] + [[False] * 4] * (N - 1))
    if form == "batch-first":
        tgt, memory = tgt.transpose(0, 1), memory.transpose(0, 1)
    if form == "unbatched":
        tgt, memory, padding = tgt[:, 0], memory[:, 0], padding[0]
    causal = torch.ones(L, L).triu(1).bool()
    if issubclass(kind, nn.TransformerEncoderLayer):
        chosen = {"padding": {"src_key_padding_mask": padding}, "causal": {"src_mask": causal}}
        return (tgt,), chosen.get(masked, {})
    chosen = {
        "padding": {"tgt_key_padding_mask": padding},
        "causal": {"tgt_mask": causal, "tgt_is_causal": True},
    }
    return (tgt, memory), chosen.get(masked, {})


LAYER_OPTIONS = {
    "norm-last": {},
    "norm-first-gelu": {"norm_first": True, "activation": "gelu"},
    "no-bias-tanh": {"bias": False, "activation": torch.tanh},
    "norm-first-no-bias": {"norm_first": True, "bias": False},
}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
@pytest.mark.parametrize("masked", ["none", "padding", "causal"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", LAYER_OPTIONS)
@pytest.mark.parametrize("kind", LAYERS)
def test_layers_are_their_parents_and_compute_the_same(kind, options, form, masked, training):
    options = {**LAYER_OPTIONS[options], "batch_first": form == "batch-first"}
    module = layer(kind, **options).train(training)
    parent = layer(kind.parent(), **options).train(training)
    parent.load_state_dict(module.state_dict(), strict=True)
    args, kwargs = layer_inputs(kind, form, masked)
    with torch.set_grad_enabled(training):
        expected = parent(*args, **kwargs)
        assert_same(module(*args, **kwargs), expected)
        assert_same(kind.from_module(parent)(*args, **kwargs), expected)
        assert_same(module.original()(*args, **kwargs), expected)
        for quantizers, key in (
            (module.intermediate_quantizers, "activation"),
            (module.linear1.output_quantizers, 0),
            (module.self_attn.intermediate_quantizers, "softmax"),
        ):
            quantizers[key] = FixedQuantizer(FINE)
            assert module.is_explicit()
            assert_close(module(*args, **kwargs), expected)
            quantizers[key] = None


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize(
    ("kind", "point"),
    [
        pytest.param(kind, point, id=f"{kind.__name__}-{point}")
        for kind in LAYERS
        for point in kind.points
    ],
)
def test_a_layer_s_point_is_quantized(kind, point, norm_first):
    module = layer(kind, norm_first=norm_first)
    args, _ = layer_inputs(kind, "batched", "none")
    plain = module(*args)
    module.intermediate_quantizers[point] = FixedQuantizer(COARSE)
    seen = recorded(module.intermediate_quantizers[point])
    result = module(*args)
    ((before, after),) = seen
    assert torch.equal(after, quantize(before, COARSE))
    assert not torch.equal(before, after)
    assert not torch.equal(result, plain)
    if norm_first and point == "feed_forward_sum":
        assert torch.equal(result, after)


@pytest.mark.parametrize("kind", LAYERS)
def test_quantizers_of_children_are_not_passed_by(kind):
    module = layer(kind, batch_first=True).eval()
    args, _ = layer_inputs(kind, "batch-first", "none")
    names = [name for name, each in module.named_modules() if isinstance(each, QuantizedModule)]
    assert {"self_attn", "self_attn.out_proj", "linear1", "linear2", "norm1"} <= set(names)
    with torch.no_grad():
        for name in names[1:]:
            changed = copy.deepcopy(module)
            changed.get_submodule(name).output_quantizers[0] = FixedQuantizer(COARSE)
            seen = recorded(changed.get_submodule(name).output_quantizers[0])
            changed(*args)
            assert len(seen) == 1, name


@pytest.mark.parametrize("kind", LAYERS)
def test_gradients_reach_all_of_a_layer_s_parameters(kind):
    module = quantize_all(layer(kind, dropout=0.1))
    args, kwargs = layer_inputs(kind, "batched", "causal")
    (module(*args, **kwargs) * normal(L, N, E, seed=9)).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("kind", [QuantizedMultiheadAttention, *LAYERS])
def test_state_and_copies_keep_calibrated_quantizers(kind):
    def calibrated():
        module = attention() if kind is QuantizedMultiheadAttention else layer(kind)
        for each in module.modules():
            if isinstance(each, QuantizedModule):
                for quantizers in (each.intermediate_quantizers, each.param_quantizers):
                    for name in quantizers:
                        quantizers[name] = FixedQuantizer(width=8)
        return module

    module, other = calibrated(), calibrated()
    if kind is QuantizedMultiheadAttention:
        args = inputs(module, "batched")
    else:
        args, _ = layer_inputs(kind, "batched", "none")
    with compute_encodings(module):
        module(*args)
    other.load_state_dict(module.state_dict(), strict=True)
    assert_same(other(*args), module(*args))
    assert_same(copy.deepcopy(module)(*args), module(*args))


def stack(kind, norm_first=False):
    one = layer(LAYERS[kind is QuantizedTransformerDecoder].parent(), batch_first=True)
    one.norm_first = norm_first
    parent = kind.parent()(one, 2, nn.LayerNorm(E, dtype=torch.float64))
    return parent, kind.from_module(parent), kind(one, 2, nn.LayerNorm(E, dtype=torch.float64))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
@pytest.mark.parametrize("masked", ["none", "padding"])
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_encoders_are_their_parents_and_compute_the_same(masked, training):
    x = normal(N, L, E)
    padding = torch.tensor([[False] * 3 + [True]] + [[False] * 4] * (N - 1))
    kwargs = {"src_key_padding_mask": padding} if masked == "padding" else {}
    parent, *modules = (m.train(training) for m in stack(QuantizedTransformerEncoder))
    with torch.set_grad_enabled(training):
        expected = parent(x, **kwargs)
        for module in modules:
            assert type(module.layers[1]) is QuantizedTransformerEncoderLayer
            assert type(module.original().layers[1]) is nn.TransformerEncoderLayer
            assert_same(module(x, **kwargs), expected)
            assert_same(module.original()(x, **kwargs), expected)
            module.layers[1].intermediate_quantizers["activation"] = FixedQuantizer(FINE)
            seen = recorded(module.layers[1].intermediate_quantizers["activation"])
            # Fast, the parent makes 0 of padded positions before its norm.
            assert_close(module(x, **kwargs)[:, :3], expected[:, :3])
            assert len(seen) == 1
    assert type(parent.layers[1]) is nn.TransformerEncoderLayer


def test_decoders_are_their_parents_and_compute_the_same():
    tgt, memory = normal(N, L, E), normal(N, S, E, seed=3)
    mask = torch.ones(L, L).triu(1).bool()
    parent, *modules = stack(QuantizedTransformerDecoder)
    expected = parent(tgt, memory, tgt_mask=mask)
    for module in modules:
        assert_same(module(tgt, memory, tgt_mask=mask), expected)
        module.layers[0].intermediate_quantizers["memory_sum"] = FixedQuantizer(FINE)
        assert_close(module(tgt, memory, tgt_mask=mask), expected)


def test_a_transformer_is_its_parent_and_computes_the_same():
    args = (E, H, 1, 1, 8, 0.0)
    module = made(QuantizedTransformer, *args, batch_first=True)
    parent = nn.Transformer(*args, batch_first=True, dtype=torch.float64)
    parent.load_state_dict(module.state_dict(), strict=True)
    src, tgt = normal(N, S, E), normal(N, L, E, seed=3)
    expected = parent(src, tgt)
    assert_same(module(src, tgt), expected)
    assert_same(QuantizedTransformer.from_module(parent)(src, tgt), expected)
    assert_same(module.original()(src, tgt), expected)
    quantize_all(module, FINE)
    assert_close(module(src, tgt), expected)
