// hls4ml's activations.  Parameters: those of PReLU, or the one of other kinds; the table of a
// unary LUT; slope and shift.
#ifndef HARNESS_LAYERS_ACTIVATIONS_H
#define HARNESS_LAYERS_ACTIVATIONS_H

#include "../nnet_utils/nnet_activation.h"
#include "common.h"

namespace harness {
namespace layers {

template <unsigned Size, class Table = ap_fixed<18, 8>, unsigned TableSize = 1>
struct activation_config : nnet::activ_config {
  static const unsigned n_in = Size;
  static const unsigned table_size = TableSize;
  using table_t = Table;
};

// A kernel without parameters.
#define HARNESS_PLAIN_ACTIVATION(name)                                               \
  template <class Data, class Result, unsigned Size>                                 \
  void name(const void* a, const void*, void* out, std::size_t n) {                  \
    using config = activation_config<Size>;                                          \
    each_row<Data, Result>(a, out, n, Size, Size, nnet::name<Data, Result, config>); \
  }
HARNESS_PLAIN_ACTIVATION(linear)
HARNESS_PLAIN_ACTIVATION(relu)
HARNESS_PLAIN_ACTIVATION(relu6)
HARNESS_PLAIN_ACTIVATION(relu1)
HARNESS_PLAIN_ACTIVATION(binary_tanh)
HARNESS_PLAIN_ACTIVATION(ternary_tanh)
#undef HARNESS_PLAIN_ACTIVATION

// A kernel that makes itself a table.
#define HARNESS_TABLE_ACTIVATION(name)                                                \
  template <class Data, class Table, class Result, unsigned Size, unsigned TableSize> \
  void name(const void* a, const void*, void* out, std::size_t n) {                   \
    using config = activation_config<Size, Table, TableSize>;                         \
    each_row<Data, Result>(a, out, n, Size, Size, nnet::name<Data, Result, config>);  \
  }
HARNESS_TABLE_ACTIVATION(sigmoid)
HARNESS_TABLE_ACTIVATION(tanh)
HARNESS_TABLE_ACTIVATION(softplus)
HARNESS_TABLE_ACTIVATION(softsign)
HARNESS_TABLE_ACTIVATION(selu)
#undef HARNESS_TABLE_ACTIVATION

template <class Data, class Result, unsigned Size, int Max>
void relu_max(const void* a, const void*, void* out, std::size_t n) {
  using config = activation_config<Size>;
  each_row<Data, Result>(a, out, n, Size, Size, nnet::relu_max<Data, Result, Max, config>);
}

template <class Data, class Parameter, class Result, unsigned Size>
void leaky_relu(const void* a, const void* b, void* out, std::size_t n) {
  using config = activation_config<Size>;
  const auto alpha = read<Parameter>(static_cast<const std::int64_t*>(b));
  each_row<Data, Result>(a, out, n, Size, Size, [&](Data* data, Result* result) {
    nnet::leaky_relu<Data, Parameter, Result, config>(data, alpha, result);
  });
}

template <class Data, class Parameter, class Result, unsigned Size>
void thresholded_relu(const void* a, const void* b, void* out, std::size_t n) {
  using config = activation_config<Size>;
  const auto theta = read<Parameter>(static_cast<const std::int64_t*>(b));
  each_row<Data, Result>(a, out, n, Size, Size, [&](Data* data, Result* result) {
    nnet::thresholded_relu<Data, Parameter, Result, config>(data, theta, result);
  });
}

template <class Data, class Parameter, class Result, unsigned Size>
void prelu(const void* a, const void* b, void* out, std::size_t n) {
  using config = activation_config<Size>;
  auto alpha = reader(b).next<Parameter>(Size);
  each_row<Data, Result>(a, out, n, Size, Size, [&](Data* data, Result* result) {
    nnet::prelu<Data, Parameter, Result, config>(data, alpha.data(), result);
  });
}

template <class Data, class Parameter, class Table, class Result, unsigned Size, unsigned TableSize>
void elu(const void* a, const void* b, void* out, std::size_t n) {
  using config = activation_config<Size, Table, TableSize>;
  const auto alpha = read<Parameter>(static_cast<const std::int64_t*>(b));
  each_row<Data, Result>(a, out, n, Size, Size, [&](Data* data, Result* result) {
    nnet::elu<Data, Parameter, Result, config>(data, alpha, result);
  });
}

template <class Data, class Table, class Result, unsigned Size, unsigned TableSize>
void unary_lut(const void* a, const void* b, void* out, std::size_t n) {
  using config = activation_config<Size, Table, TableSize>;
  auto table = reader(b).next<Table>(TableSize);
  each_row<Data, Result>(a, out, n, Size, Size, [&](Data* data, Result* result) {
    nnet::unary_lut<Data, Result, config>(data, result, table.data());
  });
}

// The kernel reads slope and shift from its configuration, where each call leaves its own.
template <class Slope, class Shift, unsigned Size>
struct hard_config : activation_config<Size> {
  static inline thread_local Slope slope;
  static inline thread_local Shift shift;

  static void set(const void* b) {
    slope = read<Slope>(static_cast<const std::int64_t*>(b));
    shift = read<Shift>(static_cast<const std::int64_t*>(b) + words<Slope>);
  }
};

template <class Data, class Slope, class Shift, class Result, unsigned Size>
void hard_sigmoid(const void* a, const void* b, void* out, std::size_t n) {
  using config = hard_config<Slope, Shift, Size>;
  config::set(b);
  each_row<Data, Result>(a, out, n, Size, Size, nnet::hard_sigmoid<Data, Result, config>);
}

template <class Data, class Slope, class Shift, class Result, unsigned Size>
void hard_tanh(const void* a, const void* b, void* out, std::size_t n) {
  using config = hard_config<Slope, Shift, Size>;
  config::set(b);
  each_row<Data, Result>(a, out, n, Size, Size, nnet::hard_tanh<Data, Result, config>);
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_ACTIVATIONS_H
