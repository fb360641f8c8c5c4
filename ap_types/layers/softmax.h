// hls4ml's softmax.
#ifndef HARNESS_LAYERS_SOFTMAX_H
#define HARNESS_LAYERS_SOFTMAX_H

#include "../nnet_utils/nnet_activation.h"
#include "common.h"

namespace harness {
namespace layers {

// mantissa * 2^exponent, a constant.
constexpr float power_scaled(int mantissa, int exponent) {
  float value = static_cast<float>(mantissa);
  for (; exponent > 0; --exponent) value *= 2;
  for (; exponent < 0; ++exponent) value /= 2;
  return value;
}

// Mantissa and Exponent are those of exp_scale.
template <nnet::softmax_implementation Implementation, class Accum, class ExpTable, class InvTable,
          class InvInp, class InpNorm, class Table, unsigned ExpSize, unsigned InvSize,
          int Mantissa, int Exponent, unsigned Slice, unsigned Outer, unsigned Inner>
struct softmax_config : nnet::activ_config {
  static const unsigned n_in = Slice * Outer * Inner;
  static const unsigned n_slice = Slice;
  static const unsigned n_outer = Outer;
  static const unsigned n_inner = Inner;
  static const unsigned parallelization_factor = 1;
  static const unsigned exp_table_size = ExpSize;
  static const unsigned inv_table_size = InvSize;
  static const nnet::softmax_implementation implementation = Implementation;
  static constexpr float exp_scale = power_scaled(Mantissa, Exponent);
  using accum_t = Accum;
  using exp_table_t = ExpTable;
  using inv_table_t = InvTable;
  using inv_inp_t = InvInp;
  using inp_norm_t = InpNorm;
  using table_t = Table;
};

template <class Data, class Result, class Config>
void softmax(const void* a, const void*, void* out, std::size_t n) {
  constexpr bool one = Config::n_outer == 1 && Config::n_inner == 1;
  each_row<Data, Result>(a, out, n, Config::n_in, Config::n_in, [](Data* data, Result* result) {
    if constexpr (one)
      nnet::softmax<Data, Result, Config>(data, result);
    else
      nnet::softmax_multidim<Data, Result, Config>(data, result);
  });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_SOFTMAX_H
