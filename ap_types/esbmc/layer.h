// hls4ml's kernels for a model checker: the adapters of ap_types/layers as they are, with arrays of
// a size that is known where they keep rows and parameters.  The checker's own vectors have memory
// of any size, which its solver would then have to think about.
#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "header.h"
#include "travel.h"

// hls_stream.h, which includes threads, is not read; kernels of arrays only name a stream.
#define X_HLS_STREAM_SIM_H
namespace hls {
template <class T>
class stream {
 public:
  T read();
  void write(const T& value);
  bool empty();
  std::size_t size();
};
}  // namespace hls

// Stands in the place of layers/common.h.
#define HARNESS_LAYERS_COMMON_H
namespace harness {
namespace layers {

// Where values of one type lie; HARNESS_MOST is what the program has of them.
template <class T>
struct room {
  static inline T values[HARNESS_MOST];
  static inline std::size_t used = 0;
};

template <class T>
struct part {
  T* first;
  T* data() { return first; }
};

class reader {
 public:
  explicit reader(const void* words) : from_(static_cast<const std::int64_t*>(words)) {}

  template <class T>
  void next(T* to, std::size_t size) {
    for (std::size_t k = 0; k < size; ++k) {
      to[k] = read<T>(from_);
      from_ += words<T>;
    }
  }

  template <class T>
  part<T> next(std::size_t size) {
    T* to = room<T>::values + room<T>::used;
    room<T>::used += size;
    next(to, size);
    return {to};
  }

 private:
  const std::int64_t* from_;
};

template <class T>
void write_all(const T* values, std::size_t size, void* out) {
  auto to = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < size; ++k, to += words<T>) write(values[k], to);
}

template <class Data, class Result, class Kernel>
void each_row(const void* a, void* out, std::size_t, std::size_t inputs, std::size_t outputs,
              Kernel kernel) {
  Data data[HARNESS_MOST];
  Result result[HARNESS_MOST];
  reader(a).next(data, inputs);
  kernel(data, result);
  write_all(result, outputs, out);
}

template <class Data1, class Data2, class Result, class Kernel>
void each_row(const void* a, void* out, std::size_t, std::size_t inputs1, std::size_t inputs2,
              std::size_t outputs, Kernel kernel) {
  Data1 data1[HARNESS_MOST];
  Data2 data2[HARNESS_MOST];
  Result result[HARNESS_MOST];
  reader rows(a);
  rows.next(data1, inputs1);
  rows.next(data2, inputs2);
  kernel(data1, data2, result);
  write_all(result, outputs, out);
}

}  // namespace layers
}  // namespace harness
