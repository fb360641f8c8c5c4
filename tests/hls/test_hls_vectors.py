"""Golden vectors of a model: witnessed by the kernels, written by the codec, replayed."""

import numpy as np
import pytest

from harness import ApFixed
from harness.fixed import Fixed
from harness.golden.codec import load
from harness.golden.emit import emit, read
from harness.golden.record import GoldenError
from harness.golden.replay import replay
from harness.hls import Dense, Sequential, replay_vectors, vectors, write_vectors

T = ApFixed(12, 5)


def model(accum="ap_fixed<24,12>"):
    rng = np.random.default_rng(1)
    types = {"input": T, "weight_type": T, "bias_type": T, "result": T}
    return Sequential(
        Dense(rng.normal(size=(4, 3)), rng.normal(size=3), accum=accum, **types),
        Dense(rng.normal(size=(3, 2)), rng.normal(size=2), accum="ap_fixed<24,12>", **types),
    )


@pytest.fixture(scope="module")
def truth(oracle):
    return vectors(model(), np.random.default_rng(2).normal(size=(9, 4)), oracle=oracle)


NAMES = ["input", "dense.weight", "dense.bias", "dense_2.weight", "dense_2.bias"]


def test_every_tensor_is_there_and_comes_back(truth, tmp_path):
    write_vectors(truth, tmp_path / "model.json")
    loaded = load(tmp_path / "model.json")
    assert loaded.groups == truth.groups
    assert [g.note for g in loaded.groups] == [*NAMES, "dense", "dense_2"]
    assert [g.witness for g in loaded.groups] == ["given"] * 5 + ["hls4ml dense_latency"] * 2
    assert [g.shape for g in loaded.groups] == [(9, 4), (4, 3), (3,), (3, 2), (2,), (9, 3), (9, 2)]
    assert replay_vectors(model(), loaded) == dict.fromkeys([*NAMES[1:], "dense", "dense_2"], 0)
    assert "../nnet_utils/nnet_dense.h" in loaded.headers


def test_a_model_that_computes_otherwise_is_found(truth):
    wrong = replay_vectors(model("ap_fixed<22,12>"), truth)
    assert wrong["dense"] > 0
    assert wrong["dense.weight"] == 0
    other = model()
    other.layer("dense_2").weight += 1
    assert replay_vectors(other, truth)["dense_2.weight"] == 6


@pytest.mark.parametrize("form", ["mem", "coe", "mif", "sv", "vhdl", "cpp", "npz", "csv"])
def test_the_formats_of_testbenches_hold_tensors(truth, tmp_path, form):
    emit(truth.groups, form, "model", tmp_path / form)
    again = read(tmp_path / form)
    assert [g.cases for g in again] == [g.cases for g in truth.groups]
    assert [g.shape for g in again] == [g.shape for g in truth.groups]


@pytest.mark.parametrize("form", ["dat", "rtl"])
def test_formats_of_inputs_and_outputs_refuse_tensors(truth, tmp_path, form):
    with pytest.raises(ValueError, match="values"):
        emit(truth.groups, form, "model", tmp_path / form)
    assert not (tmp_path / form).exists()


def test_the_quantizers_do_not_replay_a_model(truth):
    with pytest.raises(GoldenError, match="replay_vectors"):
        replay(truth.groups)


def test_vectors_of_another_model_are_refused(truth):
    types = {"weight_type": T, "bias_type": T, "accum": T, "result": T}
    with pytest.raises(ValueError, match="no input of ap_fixed<9,5>"):
        replay_vectors(Sequential(Dense(np.zeros((4, 3)), input=ApFixed(9, 5), **types)), truth)
    with pytest.raises(ValueError, match=r"no dense.weight of ap_fixed<12,5> and shape \(4, 2\)"):
        replay_vectors(Sequential(Dense(np.zeros((4, 2)), input=T, **types)), truth)


def test_a_layer_unlike_its_kernel_gives_no_vectors(oracle):
    class Wrong(Dense):
        def compute(self, *inputs):
            right = super().compute(*inputs)
            return Fixed(right.codes ^ 1, right.type)

    types = {"input": T, "weight_type": T, "bias_type": T, "accum": T, "result": T}
    with pytest.raises(ValueError, match="wrong and its kernel differ"):
        vectors(Sequential(Wrong(np.ones((4, 3)), **types)), np.ones((2, 4)), oracle=oracle)
    with pytest.raises(ValueError, match="there are no rows"):
        vectors(model(), np.ones((0, 4)), oracle=oracle)
