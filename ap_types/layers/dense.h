// hls4ml's dense kernels.  Parameters: weights, biases.
#ifndef HARNESS_LAYERS_DENSE_H
#define HARNESS_LAYERS_DENSE_H

#include "../nnet_utils/nnet_dense.h"
#include "common.h"

namespace harness {
namespace layers {

template <class Weight, class Bias, class Accum, unsigned In, unsigned Out, unsigned Reuse,
          template <class, class> class Product>
struct dense_config : nnet::dense_config {
  using weight_t = Weight;
  using bias_t = Bias;
  using accum_t = Accum;
  static const unsigned n_in = In;
  static const unsigned n_out = Out;
  static const unsigned reuse_factor = Reuse;
  template <class X, class Y>
  using product = Product<X, Y>;
};

// Weights are (In, Out).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned In,
          unsigned Out, template <class, class> class Product>
void dense_latency(const void* a, const void* b, void* out, std::size_t n) {
  using config = dense_config<Weight, Bias, Accum, In, Out, 1, Product>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(In * Out);
  auto biases = parameters.next<Bias>(Out);
  each_row<Data, Result>(a, out, n, In, Out, [&](Data* data, Result* result) {
    nnet::dense_latency<Data, Result, config>(data, result, weights.data(), biases.data());
  });
}

// Weights are (Out, In).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned In,
          unsigned Out, template <class, class> class Product, unsigned Reuse>
void dense_resource(const void* a, const void* b, void* out, std::size_t n) {
  using config = dense_config<Weight, Bias, Accum, In, Out, Reuse, Product>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(In * Out);
  auto biases = parameters.next<Bias>(Out);
  each_row<Data, Result>(a, out, n, In, Out, [&](Data* data, Result* result) {
    // nnet::dense_resource() itself instantiates all three, and two of them do not compile.
    if constexpr (Reuse <= In)
      nnet::dense_resource_rf_leq_nin<Data, Result, config>(data, result, weights.data(),
                                                            biases.data());
    else if constexpr (Reuse % In == 0)
      nnet::dense_resource_rf_gt_nin_rem0<Data, Result, config>(data, result, weights.data(),
                                                                biases.data());
    else
      nnet::dense_resource_rf_gt_nin<Data, Result, config>(data, result, weights.data(),
                                                           biases.data());
  });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_DENSE_H
