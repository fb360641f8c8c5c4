"""Matrix products: ``nnet_dense.h``."""

from __future__ import annotations

from harness.hls.layers.dense import Dense
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.products import PRODUCTS
from harness.hls.project.kernels.generated import logic_dense_of_stream
from harness.hls.project.registry import Reader, kernel
from harness.hls.project.scope import Config
from harness.hls.project.unrolled import check_unrolled

__all__ = ["product", "strategy"]


@kernel("dense")
def _dense(r: Reader) -> TypedLayer:
    c = r.config
    if r.stream and c.word("strategy") == "distributed_arithmetic":
        return logic_dense_of_stream(r)
    n_in, n_out = c.integer("n_in"), c.integer("n_out")
    how = strategy(r, c)
    weight = r.weight(0, (n_in, n_out) if how == "latency" else (n_out, n_in))
    return Dense(
        weight if how == "latency" else weight.transpose(1, 0),
        r.weight(1, (n_out,)),
        input=r.input,
        weight_type=c.weight_type("weight_t"),
        bias_type=c.type("bias_t"),
        accum=c.type("accum_t"),
        result=r.result,
        strategy=how,
        reuse_factor=c.integer("reuse_factor"),
        product=product(r, c),
    )


def product(r: Reader, c: Config) -> str:
    """How a layer multiplies, from the class that does."""
    found = c.alias("product")
    r.only("the product", found, *PRODUCTS)
    return found


def strategy(r: Reader, c: Config, place: int = 0) -> str:
    """The strategy of a matrix product, from the class that computes it.

    Args:
        r: the call.
        c: the configuration of the matrix product.
        place: where the weights are among those of the call.
    """
    found = c.alias("kernel")
    if found.startswith("dense_resource_unrolled_"):
        check_unrolled(r, c, found, place)
        return "resource"
    n_in, reuse = c.integer("n_in"), c.integer("reuse_factor")
    # hls4ml takes ..._rem0 for every reuse factor above the inputs.
    resource = "DenseResource_rf_leq_nin" if reuse <= n_in else "DenseResource_rf_gt_nin_rem0"
    r.only("the kernel", found, "DenseLatency", resource)
    if found == "DenseResource_rf_gt_nin_rem0":
        r.only("the remainder of the reuse factor", reuse % n_in, 0)
    return "latency" if found == "DenseLatency" else "resource"
