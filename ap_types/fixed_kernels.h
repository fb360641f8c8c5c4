// Kernels over the vendor's ap_fixed: arrays of raw words in, arrays of raw words out.
//
// Every kernel has the signature of harness::kernel, so that one table holds them all.  A value of
// W bits travels as ceil(W / 64) little-endian 64-bit words, sign- or zero-extended.  Bits are read
// and written as bits; nothing goes through to_double() or to_string().
#ifndef HARNESS_FIXED_KERNELS_H
#define HARNESS_FIXED_KERNELS_H

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ap_fixed.h"

namespace harness {

using kernel = void (*)(const void* a, const void* b, void* out, std::size_t n);

// How a type travels; other families of types specialise it.
template <class T>
struct travel {
  static constexpr int words = (T::width + 63) / 64;

  // The value whose words start at `from`.
  static T read(const std::int64_t* from) {
    T value;
    if constexpr (words == 1) {
      value.V = *from;
    } else {
      for (int i = 0; i < words; ++i) value.V.set_pVal(i, from[i]);
    }
    return value;
  }

  static void write(const T& value, std::int64_t* to) {
    if constexpr (words == 1) {
      *to = static_cast<std::int64_t>(value.V.get_VAL());
    } else {
      for (int i = 0; i < words; ++i) to[i] = static_cast<std::int64_t>(value.V.get_pVal(i));
    }
  }
};

template <class T>
constexpr int words = travel<T>::words;

template <class T>
T read(const std::int64_t* from) {
  return travel<T>::read(from);
}

template <class T>
void write(const T& value, std::int64_t* to) {
  travel<T>::write(value, to);
}

// T(x) for a C++ number: double, float, std::int64_t or std::uint64_t.
template <class Number, class T>
void from_number(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const Number*>(a);
  auto y = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) write(T(x[k]), y + k * words<T>);
}

// T(s) for another fixed-point value.
template <class S, class T>
void cast(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) write(T(read<S>(x + k * words<S>)), y + k * words<T>);
}

struct add {
  template <class A, class B>
  static auto of(const A& a, const B& b) {
    return a + b;
  }
  template <class A, class B>
  static void assign(A& a, const B& b) {
    a += b;
  }
};
struct sub {
  template <class A, class B>
  static auto of(const A& a, const B& b) {
    return a - b;
  }
  template <class A, class B>
  static void assign(A& a, const B& b) {
    a -= b;
  }
};
struct mul {
  template <class A, class B>
  static auto of(const A& a, const B& b) {
    return a * b;
  }
  template <class A, class B>
  static void assign(A& a, const B& b) {
    a *= b;
  }
};
struct div {
  template <class A, class B>
  static auto of(const A& a, const B& b) {
    return a / b;
  }
  template <class A, class B>
  static void assign(A& a, const B& b) {
    a /= b;
  }
};

// a op b.  R is the type the harness expects; another one does not compile.
template <class Op, class A, class B, class R>
void binary(const void* a, const void* b, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<const std::int64_t*>(b);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    auto result = Op::of(read<A>(x + k * words<A>), read<B>(y + k * words<B>));
    static_assert(std::is_same_v<decltype(result), R>, "the result type is not the expected one");
    write(result, z + k * words<R>);
  }
}

// a op= b, element by element, in the modes of A.
template <class Op, class A, class B>
void assign(const void* a, const void* b, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<const std::int64_t*>(b);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    A value = read<A>(x + k * words<A>);
    Op::assign(value, read<B>(y + k * words<B>));
    write(value, z + k * words<A>);
  }
}

// One value, taken through n compound assignments; every step is written.
template <class Op, class A, class B>
void accumulate(const void* a, const void* b, void* out, std::size_t n) {
  auto y = static_cast<const std::int64_t*>(b);
  auto z = static_cast<std::int64_t*>(out);
  A value = read<A>(static_cast<const std::int64_t*>(a));
  for (std::size_t k = 0; k < n; ++k) {
    Op::assign(value, read<B>(y + k * words<B>));
    write(value, z + k * words<A>);
  }
}

template <class A, class R>
void negate(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    auto result = -read<A>(x + k * words<A>);
    static_assert(decltype(result)::width == R::width && decltype(result)::iwidth == R::iwidth);
    write(result, z + k * words<R>);
  }
}

// a << count, or a >> count; b holds one count for all.
template <bool Left, class A>
void shift(const void* a, const void* b, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto z = static_cast<std::int64_t*>(out);
  const int count = static_cast<int>(*static_cast<const std::int64_t*>(b));
  for (std::size_t k = 0; k < n; ++k) {
    const A value = read<A>(x + k * words<A>);
    write(Left ? value << count : value >> count, z + k * words<A>);
  }
}

}  // namespace harness

#endif  // HARNESS_FIXED_KERNELS_H
