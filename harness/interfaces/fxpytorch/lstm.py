"""One layer of LSTM, batch first, from projections and activations with types of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.interfaces.fxpytorch.base import Pass, WithParts, alike_parameters
from harness.interfaces.fxpytorch.calibration import CalibrationType
from harness.interfaces.fxpytorch.configs import LSTMQConfig
from harness.interfaces.fxpytorch.layers import FxPLinear, FxPSigmoid, FxPTanh
from harness.interfaces.fxpytorch.logger import ActivationLoggingScope

__all__ = ["FxPLSTM", "LSTMTransparent"]

_States = tuple[Tensor, Tensor]


class FxPLSTM(WithParts, nn.Module):
    """``LSTM`` of one layer and direction, batch first: c = f c + i g, h = o tanh c.

    The state dict has ``w_ih`` and ``w_hh``, each a linear layer of the four gates; that of a
    ``torch.nn.LSTM`` of one layer is taken too.

    Args:
        input_size: of each step.
        hidden_size: of the states.
        bias: whether both projections have one.
        batch_first: always ``True``.
        dropout: without effect, as in torch for one layer.
        bidirectional: always ``False``.
        device: of the parameters.
        dtype: of the parameters.
        q_config: an ``LSTMQConfig``.
        sigmoid_fun: the class of the sigmoids.
        tanh_fun: the class of the hyperbolic tangents.

    Raises:
        ValueError: for a layer that ``harness.nn.QuantizedLSTM`` has.
    """

    config = LSTMQConfig
    parts = {  # noqa: RUF012 - a ClassVar of the parent
        "w_ih": "w_ih",
        "w_hh": "w_hh",
        "i_act": "sigmoid_i",
        "f_act": "sigmoid_f",
        "g_act": "tanh_g",
        "o_act": "sigmoid_o",
        "ct_tanh": "tanh_ct",
    }
    w_ih: Any
    w_hh: Any
    sigmoid_i: Any
    sigmoid_f: Any
    sigmoid_o: Any
    tanh_g: Any
    tanh_ct: Any

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,  # noqa: ARG002
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        q_config: LSTMQConfig | None = None,
        sigmoid_fun: Any = FxPSigmoid,
        tanh_fun: Any = FxPTanh,
    ) -> None:
        if not batch_first or bidirectional:
            raise ValueError(
                "FxPLSTM is batch first and of one direction; harness.nn.QuantizedLSTM has others"
            )
        super().__init__(q_config=q_config)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.bias, self.batch_first = bias, batch_first
        for part, size in (("w_ih", input_size), ("w_hh", hidden_size)):
            own = getattr(q_config, part, None)
            linear = FxPLinear(size, 4 * hidden_size, bias, device, dtype, q_config=own)
            setattr(self, part, linear)
        for field, part in list(self.parts.items())[2:]:
            made = tanh_fun if "tanh" in part else sigmoid_fun
            setattr(self, part, made(**configured(q_config, field)))
        self.register_load_state_dict_pre_hook(_from_torch)  # type: ignore[no-untyped-call]

    def forward(  # type: ignore[override]
        self,
        input: Tensor,  # noqa: A002
        hx: _States | None = None,
        logger: Any = None,
        apply_ste: bool = True,
        calibrate: bool = False,
        calibration_type: str | CalibrationType = CalibrationType.NO_OVERFLOW,
    ) -> tuple[Tensor, _States]:
        """``input`` of shape (B, T, input_size) to the hidden states (B, T, hidden_size) and the
        last h and c, (1, B, hidden_size).

        ``hx`` is h and c to begin with, (B, hidden_size) or (1, B, hidden_size), 0 if left out.
        Types of a step are decided by each step anew while calibrating.  The rest is as in
        ``FxPModule.forward``.

        Raises:
            ValueError: for another shape, or while a type is open.
        """
        if input.dim() != 3:
            raise ValueError(f"the input has shape (B, T, {self.input_size}), not {input.shape}")
        zeros = input.new_zeros(len(input), self.hidden_size)
        h, c = (zeros, zeros) if hx is None else (_flat(state, zeros) for state in hx)
        how = Pass(self, logger, apply_ste, calibrate, calibration_type)
        with ActivationLoggingScope(logger, self):
            h, c = how.activation("h0", h), how.activation("c0", c)
            quantized = how.activation("input", input)
            how.log(input=input, h0_quant=h, c0_quant=c)
            outputs = []
            for t in range(input.shape[1]):
                h, c = self._step(how, t, input[:, t], quantized[:, t], (h, c))
                outputs.append(h)
            output = how.activation("output", torch.stack(outputs, 1))
            hn, cn = h.unsqueeze(0), c.unsqueeze(0)
            how.log(output=output, hn=hn, cn=cn)
        return output, (hn, cn)

    def _step(self, how: Pass, t: int, x_t: Tensor, x: Tensor, states: _States) -> _States:
        h, c = states
        inside = how.inside
        gates = self.w_ih(x, **inside) + self.w_hh(h, **inside)
        linear = dict(zip(("i_lin", "f_lin", "g_lin", "o_lin"), gates.chunk(4, -1), strict=True))
        i, f = self.sigmoid_i(linear["i_lin"], **inside), self.sigmoid_f(linear["f_lin"], **inside)
        g, o = self.tanh_g(linear["g_lin"], **inside), self.sigmoid_o(linear["o_lin"], **inside)
        kept = how.activation("f_dot_c_t", f * c)
        added = how.activation("i_dot_g", i * g)
        c = how.activation("c_t", kept + added)
        h = how.activation("h_t", o * self.tanh_ct(c, **inside))
        with ActivationLoggingScope(how.logger, f"t{t}"):
            how.log(x_t=x_t, x_t_quant=x, **linear, i=i, f=f, g=g, o=o)
            how.log(f_dot_c_t=kept, i_dot_g=added, c_t=c, h_t=h)
        return h, c

    def set_high_precision_quant(self, same_wb: bool = False, same_fc: bool = False) -> None:
        """As of each projection; with ``same_fc`` both have one type for weights and biases."""
        for layer in self._layers():
            layer.set_high_precision_quant(same_wb)
        self._same(same_fc)

    def set_no_overflow_quant(self, same_wb: bool = False, same_fc: bool = False) -> None:
        """As of each projection; with ``same_fc`` both have one type for weights and biases."""
        for layer in self._layers():
            layer.set_no_overflow_quant(same_wb)
        self._same(same_fc)

    def _same(self, same_fc: bool) -> None:
        if same_fc:
            alike_parameters(self.w_ih, self.w_hh)


class LSTMTransparent(FxPLSTM):
    """``FxPLSTM`` that is not quantized."""


def configured(q_config: Any, field: str) -> dict[str, Any]:
    """The ``q_config`` of a layer inside, as keywords: none where nothing is quantized."""
    return {} if q_config is None else {"q_config": getattr(q_config, field)}


def _flat(state: Tensor, zeros: Tensor) -> Tensor:
    """A state without the dimension of layers."""
    if state.dim() == 3 and len(state) == 1:
        state = state[0]
    if state.shape != zeros.shape:
        raise ValueError(f"a state has shape {tuple(zeros.shape)}, not {tuple(state.shape)}")
    return state


def _from_torch(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:  # noqa: ARG001
    """Rename what ``torch.nn.LSTM`` calls its parameters, which has the gates in the same order."""
    for part in ("ih", "hh"):
        for kind in ("weight", "bias"):
            name = f"{prefix}{kind}_{part}_l0"
            if name in state:
                state[f"{prefix}w_{part}.{kind}"] = state.pop(name)
