// Kernels over minifloats: the vendor's open ap_float, where it is there, and our own minifloat.
//
// A code travels as one word: sign | exponent in two's complement | mantissa.
#ifndef HARNESS_MINIFLOAT_KERNELS_H
#define HARNESS_MINIFLOAT_KERNELS_H

#include "fixed_kernels.h"
#include "minifloat.h"
#if __has_include("ap_float.h")
#include <sstream>

#include "ap_float.h"
#include "travel_ap_float.h"
#endif

namespace harness {

template <int M, int E, int E0>
struct travel<minifloat<M, E, E0>> {
  static constexpr int words = 1;
  static minifloat<M, E, E0> read(const std::int64_t* from) {
    minifloat<M, E, E0> value;
    value.bits = static_cast<std::uint64_t>(*from);
    return value;
  }
  static void write(const minifloat<M, E, E0>& value, std::int64_t* to) {
    *to = static_cast<std::int64_t>(value.bits.to_uint64());
  }
};

// t = s, where T(s) is another conversion.
template <class S, class T>
void assigned(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    T value;
    value = read<S>(x + k * words<S>);
    write(value, y + k * words<T>);
  }
}

// a * b.  The operands are variables: the open ap_float multiplies no constants.
template <class A, class B, class R>
void product(const void* a, const void* b, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<const std::int64_t*>(b);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    A left = read<A>(x + k * words<A>);
    B right = read<B>(y + k * words<B>);
    auto result = left * right;
    static_assert(std::is_same_v<decltype(result), R>, "the result type is not the expected one");
    write(result, z + k * words<R>);
  }
}

// The fixed-point number with the value of a minifloat.  R is the type the harness expects.
template <class F, class R>
void to_fixed(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    auto result = read<F>(x + k).to_ap_fixed();
    static_assert(std::is_same_v<decltype(result), R>, "the result type is not the expected one");
    write(result, y + k * words<R>);
  }
}

}  // namespace harness

#endif  // HARNESS_MINIFLOAT_KERNELS_H
