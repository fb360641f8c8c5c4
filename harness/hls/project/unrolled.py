"""Matrix products that hls4ml writes out, one statement a weight: ``nnet_code_gen.h``."""

from __future__ import annotations

import re

import numpy as np

from harness.hls.layers.dense import resource_order
from harness.hls.project.generated import FILE
from harness.hls.project.registry import Reader
from harness.hls.project.scope import Config
from harness.hls.project.source import ProjectError

__all__ = ["check_unrolled"]

#: Products of which code 0 is no zero.
_BITS = ("weight_binary", "both_binary", "weight_exponential")
_ACCUM = r"typename CONFIG_T::accum_t"
_STATEMENT = re.compile(
    rf"acc\[(\d+)\] \+= static_cast<{_ACCUM}>\(CONFIG_T::template product<data_T, "
    r"typename CONFIG_T::weight_t>::product\(data\[(\d+)\], weights\[(\d+)\]\)\);"
)
#: What is left of the class without its statements, blocks of them, and white space.
_REST = re.sub(
    r"\s",
    "",
    """: public DenseKernel<data_T, res_T, CONFIG_T> { public: static void dense(
    data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out],
    typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out],
    typename CONFIG_T::bias_t biases[CONFIG_T::n_out] ) {
    constexpr int block_factor = DIV_ROUNDUP(CONFIG_T::n_in * CONFIG_T::n_out,
    CONFIG_T::reuse_factor); typename CONFIG_T::accum_t acc[CONFIG_T::n_out];
    InitAccum: for (int i = 0; i < CONFIG_T::n_out; i++) {
    acc[i] = (typename CONFIG_T::accum_t) biases[i]; } MULT:
    Result: for (int i = 0; i < CONFIG_T::n_out; i++) {
    res[i] = cast<data_T, res_T, CONFIG_T>(acc[i]); } }""",
)


def check_unrolled(r: Reader, c: Config, name: str, place: int) -> None:
    """Refuse a written-out product that is another than the resource strategy's.

    Its statements are read: which input meets which weight, for which output, in what order.  What
    it leaves out must be weights that are zero.

    Args:
        r: the call.
        c: the configuration of the matrix product.
        name: the class that computes it.
        place: where the weights are among those of the call.
    """
    path = r.project.directory / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"cannot read {FILE}: {error}") from None
    found = re.search(rf"^class {re.escape(name)}\b(.*?)^}};", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise r.broken(f"{FILE} has no class {name}")
    code = re.sub(r"#pragma[^\n]*", "", found[1])
    rest = re.sub(r"\s", "", _STATEMENT.sub("", code))
    if re.sub(r"MULT:\{(M\d+:\{\})*\}", "MULT:", rest) != _REST:
        raise r.refused(f"{name} in {FILE} is not understood")
    n_in, n_out = c.integer("n_in"), c.integer("n_out")
    sums: list[list[int]] = [[] for _ in range(n_out)]
    for j, i, k in (map(int, m.groups()) for m in _STATEMENT.finditer(code)):
        if i >= n_in or j >= n_out or k >= n_in * n_out:
            raise r.broken(f"{name} in {FILE} reads beyond its arrays: acc {j}, data {i}, w {k}")
        if k != j * n_in + i:
            raise r.broken(f"{name} in {FILE} multiplies data {i} by weight {k} for output {j}")
        sums[j].append(i)
    order = resource_order(n_in, n_out, c.integer("reuse_factor")).tolist()
    weights = r.weight(place, (n_out, n_in)).codes
    zero = (weights == 0) if c.alias("product") not in _BITS else np.zeros_like(weights, bool)
    for j, inputs in enumerate(sums):
        left = sorted(set(range(n_in)) - set(inputs))
        if wrong := [i for i in left if not zero[j, i]]:
            raise r.broken(
                f"{name} in {FILE} leaves out weight {j * n_in + wrong[0]}, which is not zero but "
                f"code {weights[j, wrong[0]]} of {c.alias('product')}"
            )
    if sums != [[i for i in order[j] if i in sums[j]] for j in range(n_out)]:
        raise r.refused(f"{name} in {FILE} does not add in the order of the resource strategy")
