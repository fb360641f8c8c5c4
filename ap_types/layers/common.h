// What the adapters of hls4ml's layer kernels share: words in, values for the kernel, words out.
//
// An adapter has the signature of harness::kernel.  `a` holds the inputs, `n` rows of words one
// after the other (a layer of several inputs has them in order within a row); `b` holds the
// parameters (weights, biases, tables), array after array; `out` takes `n` rows of results.  A
// value of type T is words<T> words.
#ifndef HARNESS_LAYERS_COMMON_H
#define HARNESS_LAYERS_COMMON_H

// hls4ml's headers rely on these having been included before them.
#include <cassert>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "../fixed_kernels.h"
#include "../nnet_utils/nnet_time_distributed.h"

namespace harness {
namespace layers {

// What hls4ml makes of a weight that is a power of two: its word is 2 * weight + sign, where 1 is
// the sign of a positive one.
template <int Width>
struct exponent {
  ap_uint<1> sign;
  ap_int<Width> weight;
};

template <class T>
struct is_exponent : std::false_type {};
template <int Width>
struct is_exponent<exponent<Width>> : std::true_type {};

// Arrays of values, read one after the other from words.
class reader {
 public:
  explicit reader(const void* words) : from_(static_cast<const std::int64_t*>(words)) {}

  template <class T>
  void next(std::vector<T>& to) {
    for (auto& value : to) {
      if constexpr (is_exponent<T>::value) {
        value.sign = *from_ & 1;
        value.weight = *from_++ >> 1;
      } else {
        value = read<T>(from_);
        from_ += words<T>;
      }
    }
  }

  template <class T>
  std::vector<T> next(std::size_t size) {
    std::vector<T> values(size);
    next(values);
    return values;
  }

 private:
  const std::int64_t* from_;
};

// Write an array's words; what comes after them.
template <class T>
std::int64_t* write_all(const std::vector<T>& values, std::int64_t* to) {
  for (const auto& value : values) {
    write(value, to);
    to += words<T>;
  }
  return to;
}

// Call kernel(data, result) for every row.
template <class Data, class Result, class Kernel>
void each_row(const void* a, void* out, std::size_t n, std::size_t inputs, std::size_t outputs,
              Kernel kernel) {
  reader rows(a);
  auto to = static_cast<std::int64_t*>(out);
  std::vector<Data> data(inputs);
  std::vector<Result> result(outputs);
  for (std::size_t k = 0; k < n; ++k) {
    rows.next(data);
    kernel(data.data(), result.data());
    to = write_all(result, to);
  }
}

// The same for a layer of two inputs.
template <class Data1, class Data2, class Result, class Kernel>
void each_row(const void* a, void* out, std::size_t n, std::size_t inputs1, std::size_t inputs2,
              std::size_t outputs, Kernel kernel) {
  reader rows(a);
  auto to = static_cast<std::int64_t*>(out);
  std::vector<Data1> data1(inputs1);
  std::vector<Data2> data2(inputs2);
  std::vector<Result> result(outputs);
  for (std::size_t k = 0; k < n; ++k) {
    rows.next(data1);
    rows.next(data2);
    kernel(data1.data(), data2.data(), result.data());
    to = write_all(result, to);
  }
}

// Where the steps are in an array of Dim axes.
template <unsigned Dim, unsigned Steps, unsigned Height, unsigned Width, unsigned Channels>
struct time_steps : nnet::time_distributed_config {
  static const unsigned dim = Dim;
  static const unsigned n_time_steps = Steps;
  static const unsigned in_height = Height;
  static const unsigned in_width = Width;
  static const unsigned n_chan = Channels;
  static const unsigned step = Height * Width * Channels;
};

// Another adapter, for each step of every row; it is here because it goes around any of them.
template <kernel Inner, class Data, class Result, class In, class Out>
void time_distributed(const void* a, const void* b, void* out, std::size_t n) {
  constexpr unsigned steps = In::n_time_steps;
  std::vector<Data> now(In::step);
  std::vector<Result> then(Out::step);
  std::vector<std::int64_t> given(In::step * words<Data>), made(Out::step * words<Result>);
  each_row<Data, Result>(a, out, n, steps * In::step, steps * Out::step,
                         [&](Data* data, Result* result) {
                           for (unsigned k = 0; k < steps; ++k) {
                             if constexpr (In::dim == 2)
                               nnet::read_time_step_2d<Data, In>(k, data, now.data());
                             if constexpr (In::dim == 3)
                               nnet::read_time_step_3d<Data, In>(k, data, now.data());
                             if constexpr (In::dim == 4)
                               nnet::read_time_step_4d<Data, In>(k, data, now.data());
                             write_all(now, given.data());
                             Inner(given.data(), b, made.data(), 1);
                             reader(made.data()).next(then);
                             if constexpr (Out::dim == 2)
                               nnet::write_time_step_2d<Result, Out>(k, then.data(), result);
                             if constexpr (Out::dim == 3)
                               nnet::write_time_step_3d<Result, Out>(k, then.data(), result);
                             if constexpr (Out::dim == 4)
                               nnet::write_time_step_4d<Result, Out>(k, then.data(), result);
                           }
                         });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_COMMON_H
