"""Quantized recurrent networks and cells: torch's own without quantizers, a loop with them."""

import copy
import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

from harness.nn import FixedQuantizer, compute_encodings
from harness.nn.recurrent import (
    QuantizedGRU,
    QuantizedGRUCell,
    QuantizedLSTM,
    QuantizedLSTMCell,
    QuantizedRNN,
    QuantizedRNNCell,
)
from harness.quantize import quantize
from harness.types import parse_type

FINE = "ap_fixed<52,10,AP_RND_CONV,AP_SAT>"
COARSE = parse_type("ap_fixed<6,2,AP_RND_CONV,AP_SAT>")
KINDS = {
    "RNN": (QuantizedRNN, {}),
    "RNN-relu": (QuantizedRNN, {"nonlinearity": "relu"}),
    "GRU": (QuantizedGRU, {}),
    "LSTM": (QuantizedLSTM, {}),
    "LSTM-projected": (QuantizedLSTM, {"proj_size": 2}),
}
CELLS = {
    "RNNCell": (QuantizedRNNCell, {}),
    "RNNCell-relu": (QuantizedRNNCell, {"nonlinearity": "relu"}),
    "GRUCell": (QuantizedGRUCell, {}),
    "LSTMCell": (QuantizedLSTMCell, {}),
}
NETWORKS = [QuantizedRNN, QuantizedLSTM, QuantizedGRU]
ALL_CELLS = [QuantizedRNNCell, QuantizedLSTMCell, QuantizedGRUCell]
OPTIONS = list(itertools.product((1, 2), (False, True), (False, True), (False, True)))
NAMES = ("num_layers", "bidirectional", "batch_first", "bias")
FORMS = ("batched", "unbatched", "packed", "unsorted")


def made(kind, dtype=torch.float64, **options):
    torch.manual_seed(1)
    return kind(3, 4, **options, dtype=dtype)


def normal(*shape, seed=2, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def sequence(form, batch_first=False, dtype=torch.float64):
    """Five time steps of three sequences of three features, or fewer."""
    x = normal(5, 3, 3, dtype=dtype)
    if form == "unbatched":
        return x[:, 0]
    if form == "packed":
        return pack_padded_sequence(x, [5, 3, 1])
    if form == "unsorted":
        return pack_sequence([x[:2, 0], x[:5, 1], x[:4, 2]], enforce_sorted=False)
    return x.transpose(0, 1) if batch_first else x


def start(module, form):
    """Initial states that fit."""
    count = module.num_layers * (1 + module.bidirectional)
    batch = () if form == "unbatched" else (3,)
    dtype = module.weight_ih_l0.dtype
    h = normal(count, *batch, module.proj_size or 4, seed=3, dtype=dtype)
    c = normal(count, *batch, 4, seed=4, dtype=dtype)
    return (h, c) if isinstance(module, nn.LSTM) else h


def tensors(result):
    """Every tensor in a result, the facts of packed sequences too."""
    if isinstance(result, torch.Tensor):
        return [result]
    return [t for member in result if member is not None for t in tensors(member)]


def assert_same(actual, expected):
    assert type(actual) is type(expected)
    for a, e in zip(tensors(actual), tensors(expected), strict=True):
        assert a.dtype == e.dtype
        assert torch.equal(a, e)


def assert_close(actual, expected):
    assert type(actual) is type(expected)
    for a, e in zip(tensors(actual), tensors(expected), strict=True):
        torch.testing.assert_close(a, e, rtol=0, atol=1e-9)


def recorded(module, point, t):
    """A list that fills with what goes into the point's quantizer and what comes out."""
    seen = []
    module.intermediate_quantizers[point] = FixedQuantizer(t)
    module.intermediate_quantizers[point].register_forward_hook(
        lambda _, args, result: seen.append((args[0].detach(), result.detach()))
    )
    return seen


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "states"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", KINDS)
def test_is_its_parent_without_quantizers_and_computes_the_same_with_them(
    name, options, form, given
):
    kind, more = KINDS[name]
    chosen = {**more, **dict(zip(NAMES, options, strict=True))}
    module = made(kind, **chosen)
    parent = kind.parent()(3, 4, **chosen, dtype=torch.float64)
    parent.load_state_dict(module.state_dict(), strict=True)
    x = sequence(form, chosen["batch_first"])
    states = (start(module, form),) if given else ()
    expected = parent(x, *states)
    assert_same(module(x, *states), expected)

    module.intermediate_quantizers["hidden"] = FixedQuantizer(FINE)
    assert module.is_explicit()
    assert_close(module(x, *states), expected)


@pytest.mark.parametrize("kind", NETWORKS)
def test_is_its_parent_bit_for_bit_in_float32(kind):
    module = made(kind, torch.float32, num_layers=2)
    x = sequence("batched", dtype=torch.float32)
    parent = module.original()
    assert_same(module(x), parent(x))
    assert_same(kind.from_module(parent)(x), parent(x))


@pytest.mark.parametrize("form", ["batched", "packed"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_drops_out_between_layers_while_training(kind, form):
    module = made(kind, num_layers=3, dropout=0.5)
    x = sequence(form)
    torch.manual_seed(5)
    expected = module(x)
    module.intermediate_quantizers["hidden"] = FixedQuantizer(FINE)
    torch.manual_seed(5)
    assert_close(module(x), expected)
    assert not torch.equal(tensors(module(x))[0], tensors(expected)[0])
    module.eval()
    assert_same(module(x), module(x))


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "states"])
@pytest.mark.parametrize("batch", [(), (5,)], ids=["unbatched", "batched"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_cells_are_their_parents_and_compute_the_same(name, bias, batch, given):
    kind, more = CELLS[name]
    module = made(kind, bias=bias, **more)
    parent = kind.parent()(3, 4, bias=bias, **more, dtype=torch.float64)
    parent.load_state_dict(module.state_dict(), strict=True)
    states = tuple(normal(*batch, 4, seed=seed) for seed in range(module.states))
    args = (normal(*batch, 3), module._told(states)) if given else (normal(*batch, 3),)
    expected = parent(*args)
    assert_same(module(*args), expected)
    assert_same(kind.from_module(parent)(*args), expected)

    module.intermediate_quantizers["hidden"] = FixedQuantizer(FINE)
    assert_close(module(*args), expected)


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        pytest.param(kind, point, id=f"{kind.__name__}-{point}")
        for kind in (*NETWORKS, *ALL_CELLS)
        for point in kind.points
    ],
)
def test_a_point_is_quantized(kind, point):
    network = kind in NETWORKS
    module = made(kind, **({"num_layers": 2, "bidirectional": True} if network else {}))
    states = module._told(normal(5, 4, seed=seed) for seed in range(3, 3 + module.states))
    args = (sequence("packed"),) if network else (normal(5, 3), states)
    plain = tensors(module(*args))
    seen = recorded(module, point, COARSE)
    result = tensors(module(*args))
    # Once for all time steps, or once for each; in two layers and two directions.
    assert len(seen) == ((4 if point == "input_projection" else 20) if network else 1)
    for before, after in seen:
        assert torch.equal(after, quantize(before, COARSE))
    assert any(not torch.equal(before, after) for before, after in seen)
    assert not torch.equal(result[0], plain[0])


@pytest.mark.parametrize("kind", NETWORKS)
def test_hidden_is_what_comes_out(kind):
    module = made(kind)
    module.intermediate_quantizers["hidden"] = FixedQuantizer(COARSE)
    y, states = module(sequence("batched"))
    h = states[0] if kind is QuantizedLSTM else states
    assert torch.equal(y, quantize(y.detach(), COARSE))
    assert torch.equal(h[0], y[-1])


def seen_at_all_points(module, *args):
    seen = {point: recorded(module, point, FINE) for point in module.points}
    module(*args)
    return {point: pairs[0][0] for point, pairs in seen.items()}


def test_each_point_of_a_long_short_term_memory_is_what_its_name_says():
    module = made(QuantizedLSTMCell)
    x, h, c = normal(5, 3), normal(5, 4, seed=3), normal(5, 4, seed=4)
    into = x @ module.weight_ih.T + module.bias_ih
    back = h @ module.weight_hh.T + module.bias_hh
    i, f, g, o = (into + back).chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    new = f * c + i * g
    expected = {
        "input_projection": into,
        "hidden_projection": back,
        "gates": into + back,
        "input_gate": i,
        "forget_gate": f,
        "cell_gate": g,
        "output_gate": o,
        "forget_product": f * c,
        "input_product": i * g,
        "cell": new,
        "cell_activation": new.tanh(),
        "output_product": o * new.tanh(),
        "hidden": o * new.tanh(),
    }
    assert_values(seen_at_all_points(module, x, (h, c)), expected)


def test_each_point_of_a_gated_recurrent_unit_is_what_its_name_says():
    module = made(QuantizedGRUCell)
    x, h = normal(5, 3), normal(5, 4, seed=3)
    into = x @ module.weight_ih.T + module.bias_ih
    back = h @ module.weight_hh.T + module.bias_hh
    r = (into + back)[:, :4].sigmoid()
    z = (into + back)[:, 4:8].sigmoid()
    n = (into[:, 8:] + r * back[:, 8:]).tanh()
    expected = {
        "input_projection": into,
        "hidden_projection": back,
        "reset_gate": r,
        "update_gate": z,
        "hidden_new": back[:, 8:],
        "reset_product": r * back[:, 8:],
        "new_gate": n,
        "new_product": (1 - z) * n,
        "update_product": z * h,
        "hidden": (1 - z) * n + z * h,
    }
    assert_values(seen_at_all_points(module, x, h), expected)


def assert_values(actual, expected):
    assert actual.keys() == expected.keys()
    for point, value in expected.items():
        torch.testing.assert_close(actual[point], value.detach(), rtol=0, atol=1e-9)


def test_the_projected_state_is_hidden_and_the_product_lies_before_it():
    module = made(QuantizedLSTM, proj_size=2)
    seen = seen_at_all_points(module, sequence("batched"))
    assert seen["output_product"].shape == (3, 4)
    assert seen["hidden"].shape == (3, 2)


@pytest.mark.parametrize("kind", [*NETWORKS, *ALL_CELLS])
def test_a_quantized_parameter_is_as_a_parameter_on_the_grid(kind):
    module, on_grid = made(kind), made(kind)
    x = sequence("batched") if kind in NETWORKS else normal(5, 3)
    for name, parameter in list(module.named_parameters()):
        module.param_quantizers[name] = FixedQuantizer(COARSE)
        getattr(on_grid, name).data = quantize(parameter.detach(), COARSE)
    before = dict(module.named_parameters())
    assert_close(module(x), on_grid(x))
    after = dict(module.named_parameters())
    assert all(after[name] is before[name] for name in before)
    if kind in NETWORKS:
        assert all(a is b for a, b in zip(module._flat_weights, before.values(), strict=True))


@pytest.mark.parametrize("form", ["batched", "packed"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_reach_inputs_states_and_parameters(kind, form):
    module = made(kind, num_layers=2, bidirectional=True)
    for point in module.points:
        module.intermediate_quantizers[point] = FixedQuantizer("ap_fixed<24,10,RND,SAT>")
    for name in module.param_quantizers:
        module.param_quantizers[name] = FixedQuantizer("ap_fixed<24,10,RND,SAT>")
    x, states = sequence(form), start(module, form)
    leaves = tensors((x.data if form == "packed" else x, states))
    for leaf in leaves:
        leaf.requires_grad_()
    result = module(x, states)
    floats = [t for t in tensors(result) if t.is_floating_point()]
    sum(t.square().sum() for t in floats).backward()
    for tensor in (*leaves, *module.parameters()):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.any()


def test_gradients_of_the_loop_are_those_of_torch():
    for kind in NETWORKS:
        module = made(kind, num_layers=2, bidirectional=True)
        x = sequence("unsorted")
        gradients = []
        for quantizer in (None, FixedQuantizer(FINE)):
            module.intermediate_quantizers["hidden"] = quantizer
            module.zero_grad()
            module(x)[0].data.square().sum().backward()
            gradients.append([p.grad for p in module.parameters()])
        assert_close(gradients[1], gradients[0])


@pytest.mark.parametrize("kind", [*NETWORKS, *ALL_CELLS])
def test_state_and_copies_keep_calibrated_quantizers(kind):
    module, other = made(kind), made(kind)
    x = sequence("packed") if kind in NETWORKS else normal(5, 3)
    for each in (module, other):
        for point in each.points:
            each.intermediate_quantizers[point] = FixedQuantizer(width=8)
        for name in each.param_quantizers:
            each.param_quantizers[name] = FixedQuantizer(width=6)
    with compute_encodings(module):
        module(x)
    other.load_state_dict(module.state_dict(), strict=True)
    assert_same(other(x), module(x))
    assert_same(copy.deepcopy(module)(x), module(x))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inside", [False, True], ids=["torch", "loop"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_input_and_output_quantizers_have_the_same_places_for_packed_sequences(kind, inside, form):
    module = made(kind)
    x, states = sequence(form), start(module, form)
    if inside:
        module.intermediate_quantizers["hidden"] = FixedQuantizer(FINE)
    plain = tensors(module(x, states))
    for k in range(module.inputs):
        module.input_quantizers[k] = FixedQuantizer(COARSE)
        module.output_quantizers[k] = FixedQuantizer(COARSE)
    result = module(x, states)
    assert isinstance(result[0], PackedSequence) == isinstance(x, PackedSequence)
    floats = [t for t in tensors(result) if t.is_floating_point()]
    assert len(floats) == module.outputs
    assert all(torch.equal(t, quantize(t.detach(), COARSE)) for t in floats)
    assert not torch.equal(tensors(result)[0], plain[0])


@pytest.mark.parametrize("kind", NETWORKS)
def test_an_assigned_parameter_is_the_assigned_module_s_alone(kind):
    parent = kind.parent()(3, 4)
    x = sequence("batched", dtype=torch.float32)
    expected = parent(x)
    for module in (kind.from_module(parent), kind.from_module(parent).original()):
        module.weight_ih_l0 = nn.Parameter(torch.zeros_like(module.weight_ih_l0))
        assert_same(parent(x), expected)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(
    ("shape", "states", "error"),
    [
        ((5, 3, 3, 3), None, ValueError),
        ((5, 3, 2), None, RuntimeError),
        ((0, 3, 3), None, RuntimeError),
        ((5, 3, 3), (1, 2, 4), RuntimeError),
        ((5, 3), (1, 3, 4), RuntimeError),
    ],
)
def test_wrong_shapes_are_refused(kind, shape, states, error):
    module = made(kind)
    module.intermediate_quantizers["hidden"] = FixedQuantizer(FINE)
    hx = None if states is None else module._told([torch.zeros(states).double()] * module.states)
    with pytest.raises(error):
        module(torch.zeros(shape).double(), hx)


@pytest.mark.parametrize("kind", ALL_CELLS)
def test_cells_refuse_wrong_shapes_and_numbers_of_states(kind):
    module = made(kind)
    module.intermediate_quantizers["hidden"] = FixedQuantizer(FINE)
    x, h = normal(5, 3), normal(5, 4)
    with pytest.raises(ValueError, match="1-D or 2-D"):
        module(normal(2, 5, 3))
    with pytest.raises(ValueError, match="dimensions"):
        module(x, module._told([h[0]] * module.states))
    with pytest.raises(ValueError, match="states, not 3"):
        module(x, (h, h, h))
