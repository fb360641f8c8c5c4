// hls4ml's batch normalisation.  Parameters: scales, biases; or thresholds.
#ifndef HARNESS_LAYERS_BATCHNORM_H
#define HARNESS_LAYERS_BATCHNORM_H

#include "../nnet_utils/nnet_batchnorm.h"
#include "common.h"

namespace harness {
namespace layers {

// Filters is -1 for parameters of every element.
template <class Scale, class Bias, unsigned Size, int Filters,
          template <class, class> class Product>
struct batchnorm_config : nnet::batchnorm_config {
  using scale_t = Scale;
  using bias_t = Bias;
  static const unsigned n_in = Size;
  static const unsigned n_filt = Filters;
  static const unsigned n_scale_bias = Filters == -1 ? Size : Filters;
  static const unsigned multiplier_limit = Size;
  template <class X, class Y>
  using product = Product<X, Y>;
};

template <unsigned Size, int Filters>
struct batchnorm_tanh_config : nnet::batchnorm_quantized_tanh_config {
  static const unsigned n_in = Size;
  static const unsigned n_filt = Filters;
  static const unsigned n_scale_bias = Filters == -1 ? Size : Filters;
};

template <class Data, class Scale, class Bias, class Result, unsigned Size, int Filters,
          template <class, class> class Product>
void batchnorm(const void* a, const void* b, void* out, std::size_t n) {
  using config = batchnorm_config<Scale, Bias, Size, Filters, Product>;
  reader parameters(b);
  auto scale = parameters.next<Scale>(config::n_scale_bias);
  auto bias = parameters.next<Bias>(config::n_scale_bias);
  each_row<Data, Result>(a, out, n, Size, Size, [&](Data* data, Result* result) {
    nnet::normalize<Data, Result, config>(data, result, scale.data(), bias.data());
  });
}

template <class Data, unsigned Size, int Filters>
void batchnorm_binary_tanh(const void* a, const void* b, void* out, std::size_t n) {
  using config = batchnorm_tanh_config<Size, Filters>;
  reader parameters(b);
  auto threshold = parameters.next<Data>(config::n_scale_bias);
  each_row<Data, ap_uint<1>>(a, out, n, Size, Size, [&](Data* data, ap_uint<1>* result) {
    nnet::normalize_binary_tanh<Data, config>(data, result, threshold.data());
  });
}

template <class Data, unsigned Size, int Filters>
void batchnorm_ternary_tanh(const void* a, const void* b, void* out, std::size_t n) {
  using config = batchnorm_tanh_config<Size, Filters>;
  reader parameters(b);
  auto high = parameters.next<Data>(config::n_scale_bias);
  auto low = parameters.next<Data>(config::n_scale_bias);
  each_row<Data, ap_int<2>>(a, out, n, Size, Size, [&](Data* data, ap_int<2>* result) {
    nnet::normalize_ternary_tanh<Data, config>(data, result, high.data(), low.data());
  });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_BATCHNORM_H
