// What the adapters of hls4ml's layer kernels share: words in, values for the kernel, words out.
//
// An adapter has the signature of harness::kernel.  `a` holds the inputs, `n` rows of words one
// after the other (a layer of several inputs has them in order within a row); `b` holds the
// parameters (weights, biases, tables), array after array; `out` takes `n` rows of results.  No
// type has more than 64 bits, so every value is one word.
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

namespace harness {
namespace layers {

// Arrays of values, read one after the other from words.
class reader {
 public:
  explicit reader(const void* words) : from_(static_cast<const std::int64_t*>(words)) {}

  template <class T>
  void next(std::vector<T>& to) {
    for (auto& value : to) value = read<T>(from_++);
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
    for (const auto& value : result) write(value, to++);
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
    for (const auto& value : result) write(value, to++);
  }
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_COMMON_H
