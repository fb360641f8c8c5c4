// Kernels over hls4ml's activations.
#ifndef HARNESS_ACTIVATION_KERNELS_H
#define HARNESS_ACTIVATION_KERNELS_H

// hls4ml's headers rely on these having been included before them.
#include <cmath>
#include <string>
#include <type_traits>

#include "../nnet_utils/nnet_activation.h"
#include "fixed_kernels.h"

namespace harness {

struct one_element {
  static const unsigned n_in = 1;
};

// The sign of a fixed-point number as one bit: 1 for what hls4ml's binary_tanh makes 1.
template <class A>
void binary_tanh(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    A data[1] = {read<A>(x + k * words<A>)};
    ap_int<2> result[1];
    nnet::binary_tanh<A, ap_int<2>, one_element>(data, result);
    y[k] = result[0] > 0;
  }
}

// hls4ml's ternary_tanh of a fixed-point number: a code of ap_fixed<2,2>.
template <class A>
void ternary_tanh(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    A data[1] = {read<A>(x + k * words<A>)};
    ap_int<2> result[1];
    nnet::ternary_tanh<A, ap_int<2>, one_element>(data, result);
    y[k] = result[0];
  }
}

}  // namespace harness

#endif  // HARNESS_ACTIVATION_KERNELS_H
