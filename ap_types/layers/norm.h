// hls4ml's layer normalisation.  Parameters: scales, biases.
#ifndef HARNESS_LAYERS_NORM_H
#define HARNESS_LAYERS_NORM_H

#include "../nnet_utils/nnet_layernorm.h"
#include "common.h"

namespace harness {
namespace layers {

template <class Scale, class Bias, class Accum, class Table, unsigned TableSize,
          unsigned EpsilonPower, unsigned RangePower, unsigned Length, unsigned Channels>
struct layernorm_config : nnet::layernorm_config {
  using scale_t = Scale;
  using bias_t = Bias;
  using accum_t = Accum;
  using table_t = Table;
  static const unsigned n_in = Length * Channels;
  static const unsigned seq_len = Length;
  static const unsigned epsilon_power_of_10 = EpsilonPower;
  static const unsigned table_range_power2 = RangePower;
  static const unsigned table_size = TableSize;
};

template <class Data, class Scale, class Bias, class Accum, class Table, class Result,
          unsigned TableSize, unsigned EpsilonPower, unsigned RangePower, unsigned Length,
          unsigned Channels>
void layernorm(const void* a, const void* b, void* out, std::size_t n) {
  using config = layernorm_config<Scale, Bias, Accum, Table, TableSize, EpsilonPower, RangePower,
                                  Length, Channels>;
  reader parameters(b);
  auto scale = parameters.next<Scale>(Channels);
  auto bias = parameters.next<Bias>(Channels);
  each_row<Data, Result>(a, out, n, config::n_in, config::n_in, [&](Data* data, Result* result) {
    nnet::layernormalize<Data, Result, config>(data, result, scale.data(), bias.data());
  });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_NORM_H
