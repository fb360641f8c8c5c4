"""What each layer quantizes: a type, or a configuration, for every tensor and layer inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from harness.interfaces.fxpytorch.types import QType

__all__ = [
    "Conv2DQConfig",
    "DropoutQConfig",
    "LSTMQConfig",
    "LayerNormQConfig",
    "LinearQConfig",
    "MultiheadAttentionQConfig",
    "QConfig",
    "SigmoidQConfig",
    "SoftmaxQConfig",
    "TanhQConfig",
    "TransformerEncoderLayerQConfig",
]


class QConfig(BaseModel):
    """What the configurations share; a field left out, or ``None``, is a float.

    Attributes:
        layer_type: which layer it is for.
        name: a name of your own.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    layer_type: str
    name: str | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _none_is_a_float(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields.get(info.field_name or "")
        factory: Any = None if field is None else field.default_factory
        return factory() if value is None and factory is not None else value

    @model_validator(mode="after")
    def _own_types(self) -> QConfig:
        # One type under two names would be decided for the one, and then again for the other.
        _set_apart(self, set())
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return self.model_dump(mode="json")

    def save_json(self, file_path: str | Path) -> None:
        """Write it as JSON; ``model_validate_json`` of the class reads it."""
        Path(file_path).write_text(self.model_dump_json(indent=4), encoding="utf-8")


def _set_apart(config: QConfig, seen: set[int]) -> None:
    for name in type(config).model_fields:
        value = config.__dict__.get(name)
        if not isinstance(value, QType | QConfig):
            continue
        if id(value) in seen:
            config.__dict__[name] = value = value.model_copy(deep=True)
        seen.add(id(value))
        if isinstance(value, QConfig):
            _set_apart(value, seen)


def _float() -> Any:
    made: Any = QType
    return Field(default_factory=made)


class LinearQConfig(QConfig):
    """Of ``FxPLinear``."""

    layer_type: Literal["linear"] = "linear"
    input: QType = _float()
    weight: QType = _float()
    bias: QType = _float()
    activation: QType = _float()


class Conv2DQConfig(QConfig):
    """Of ``FxPConv2D``."""

    layer_type: Literal["conv2d"] = "conv2d"
    input: QType = _float()
    weight: QType = _float()
    bias: QType = _float()
    activation: QType = _float()


class LayerNormQConfig(QConfig):
    """Of ``FxPLayerNorm``."""

    layer_type: Literal["layer_norm"] = "layer_norm"
    input: QType = _float()
    weight: QType = _float()
    bias: QType = _float()
    mean_tensor: QType = _float()
    var_tensor: QType = _float()
    input_normalized: QType = _float()
    activation: QType = _float()


class SoftmaxQConfig(QConfig):
    """Of ``FxPSoftmax``."""

    layer_type: Literal["softmax"] = "softmax"
    input: QType = _float()
    activation: QType = _float()


class DropoutQConfig(QConfig):
    """Of ``FxPDropout``."""

    layer_type: Literal["dropout"] = "dropout"
    input: QType = _float()
    activation: QType = _float()


class SigmoidQConfig(QConfig):
    """Of ``FxPSigmoid``."""

    layer_type: Literal["sigmoid"] = "sigmoid"
    input: QType = _float()
    activation: QType = _float()


class TanhQConfig(QConfig):
    """Of ``FxPTanh``."""

    layer_type: Literal["tanh"] = "tanh"
    input: QType = _float()
    activation: QType = _float()


class LSTMQConfig(QConfig):
    """Of ``FxPLSTM``: its projections and activations, and the products and states between."""

    layer_type: Literal["lstm"] = "lstm"
    input: QType = _float()
    h0: QType = _float()
    c0: QType = _float()
    w_ih: LinearQConfig = Field(default_factory=LinearQConfig)
    w_hh: LinearQConfig = Field(default_factory=LinearQConfig)
    i_act: SigmoidQConfig = Field(default_factory=SigmoidQConfig)
    f_act: SigmoidQConfig = Field(default_factory=SigmoidQConfig)
    g_act: TanhQConfig = Field(default_factory=TanhQConfig)
    o_act: SigmoidQConfig = Field(default_factory=SigmoidQConfig)
    ct_tanh: TanhQConfig = Field(default_factory=TanhQConfig)
    i_dot_g: QType = _float()
    f_dot_c_t: QType = _float()
    c_t: QType = _float()
    h_t: QType = _float()
    output: QType = _float()


class MultiheadAttentionQConfig(QConfig):
    """Of ``FxPMultiheadAttention``."""

    layer_type: Literal["multihead_attention"] = "multihead_attention"
    input_query: QType = _float()
    input_key: QType = _float()
    input_value: QType = _float()
    qlinear: LinearQConfig = Field(default_factory=LinearQConfig)
    klinear: LinearQConfig = Field(default_factory=LinearQConfig)
    vlinear: LinearQConfig = Field(default_factory=LinearQConfig)
    q_scaled: QType = _float()
    attn_scores_raw: QType = _float()
    softmax: SoftmaxQConfig = Field(default_factory=SoftmaxQConfig)
    dropout: DropoutQConfig = Field(default_factory=DropoutQConfig)
    attn_output: QType = _float()
    out_proj: LinearQConfig = Field(default_factory=LinearQConfig)


class TransformerEncoderLayerQConfig(QConfig):
    """Of ``FxPTransformerEncoderLayer``."""

    layer_type: Literal["transformer_encoder_layer"] = "transformer_encoder_layer"
    input: QType = _float()
    norm1: LayerNormQConfig = Field(default_factory=LayerNormQConfig)
    self_attn: MultiheadAttentionQConfig = Field(default_factory=MultiheadAttentionQConfig)
    self_attn_dropout: DropoutQConfig = Field(default_factory=DropoutQConfig)
    residual_1: QType = _float()
    norm2: LayerNormQConfig = Field(default_factory=LayerNormQConfig)
    linear1: LinearQConfig = Field(default_factory=LinearQConfig)
    ff_activation: QType = _float()
    dropout1: DropoutQConfig = Field(default_factory=DropoutQConfig)
    linear2: LinearQConfig = Field(default_factory=LinearQConfig)
    dropout2: DropoutQConfig = Field(default_factory=DropoutQConfig)
    residual_2: QType = _float()
