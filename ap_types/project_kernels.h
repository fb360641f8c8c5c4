// The top function of an hls4ml project as a kernel: rows of words in, rows of words out.
//
// The table of a project's shared object names one instantiation of `run`.  Where the top function
// is a copy that calls `tell` after each of its kernels, `trace` gives what it told instead.
#ifndef HARNESS_PROJECT_KERNELS_H
#define HARNESS_PROJECT_KERNELS_H

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "fixed_kernels.h"

namespace nnet {
// hls4ml's bridge defines these for top functions that save the outputs of their layers.
bool trace_enabled = false;
std::map<std::string, void*>* trace_outputs = nullptr;
size_t trace_type_size = sizeof(double);
}  // namespace nnet

namespace harness {
namespace project {

// Where `tell` writes; null while nobody listens.
inline std::int64_t* told = nullptr;

// Write an array's words.
template <class T>
void tell(const T* array, std::size_t size) {
  if (told == nullptr) return;
  for (std::size_t k = 0; k < size; ++k, told += words<T>) write(array[k], told);
}

// An argument of the top function: an array, read from words before the call or written after it.
template <class T, std::size_t Size, bool Input>
struct port {
  std::vector<T> values = std::vector<T>(Size, T(0));

  void take(const std::int64_t*& from) {
    if constexpr (Input)
      for (auto& value : values) {
        value = read<T>(from);
        from += words<T>;
      }
  }
  void give(std::int64_t*& to) const {
    if constexpr (!Input)
      for (const auto& value : values) {
        write(value, to);
        to += words<T>;
      }
  }
};
template <class T, std::size_t Size>
using input = port<T, Size, true>;
template <class T, std::size_t Size>
using output = port<T, Size, false>;

// Call Top for each of n rows, with arrays that hold nothing of the row before.
template <auto Top, bool Trace, class... Ports>
void rows(const void* a, void* out, std::size_t n) {
  auto from = static_cast<const std::int64_t*>(a);
  auto to = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    std::tuple<Ports...> ports;
    std::apply([&](auto&... port) { (port.take(from), ...); }, ports);
    if constexpr (Trace) told = to;
    std::apply([](auto&... port) { Top(port.values.data()...); }, ports);
    if constexpr (Trace) to = told;
    if constexpr (!Trace) std::apply([&](auto&... port) { (port.give(to), ...); }, ports);
  }
  told = nullptr;
}

template <auto Top, class... Ports>
void run(const void* a, const void*, void* out, std::size_t n) {
  rows<Top, false, Ports...>(a, out, n);
}

template <auto Top, class... Ports>
void trace(const void* a, const void*, void* out, std::size_t n) {
  rows<Top, true, Ports...>(a, out, n);
}

}  // namespace project
}  // namespace harness

#endif  // HARNESS_PROJECT_KERNELS_H
