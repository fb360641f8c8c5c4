// Kernels over the vendor's ap_fixed and ap_int: arrays of raw words in, arrays of raw words out.
//
// Every kernel has the signature of harness::kernel, so that one table holds them all.  A value of
// W bits travels as ceil(W / 64) little-endian 64-bit words, sign- or zero-extended.  Bits are read
// and written as bits; nothing goes through to_double() or to_string().
#ifndef HARNESS_FIXED_KERNELS_H
#define HARNESS_FIXED_KERNELS_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "travel.h"

namespace harness {

using kernel = void (*)(const void* a, const void* b, void* out, std::size_t n);

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

// Whether a C++ expression of type D is of the type R that the harness expects: the same type, a
// native number of its size and sign, or the base class that some operators return.
template <class D, class R>
constexpr bool expected() {
  if constexpr (std::is_same_v<D, R>) {
    return true;
  } else if constexpr (std::is_integral_v<D>) {
    return std::numeric_limits<D>::digits + std::is_signed_v<D> == R::width &&
           std::is_signed_v<D> == std::is_base_of_v<ap_int<R::width>, R>;
  } else if constexpr (!std::is_floating_point_v<D>) {
    return D::width == R::width && D::iwidth == R::iwidth;
  } else {
    return false;
  }
}

template <class D, class R>
void write_result(const D& result, std::int64_t* to) {
  static_assert(expected<D, R>(), "the result type is not the expected one");
  if constexpr (std::is_integral_v<D>) {
    write(R(result), to);
  } else {
    write(result, to);
  }
}

#define HARNESS_BINARY(name, symbol)         \
  struct name {                              \
    template <class A, class B>              \
    static auto of(const A& a, const B& b) { \
      return a symbol b;                     \
    }                                        \
    template <class A, class B>              \
    static void assign(A& a, const B& b) {   \
      a symbol## = b;                        \
    }                                        \
  };
HARNESS_BINARY(add, +)
HARNESS_BINARY(sub, -)
HARNESS_BINARY(mul, *)
HARNESS_BINARY(div, /)
HARNESS_BINARY(mod, %)
HARNESS_BINARY(bit_and, &)
HARNESS_BINARY(bit_or, |)
HARNESS_BINARY(bit_xor, ^)
#undef HARNESS_BINARY

#define HARNESS_COMPARISON(name, symbol)     \
  struct name {                              \
    template <class A, class B>              \
    static bool of(const A& a, const B& b) { \
      return a symbol b;                     \
    }                                        \
  };
HARNESS_COMPARISON(lt, <)
HARNESS_COMPARISON(le, <=)
HARNESS_COMPARISON(gt, >)
HARNESS_COMPARISON(ge, >=)
HARNESS_COMPARISON(eq, ==)
HARNESS_COMPARISON(ne, !=)
#undef HARNESS_COMPARISON

struct concat {
  template <class A, class B>
  static auto of(A a, B b) {
    return ap_uint<A::width + B::width>((a, b));
  }
};

#define HARNESS_UNARY(name, expression) \
  struct name {                         \
    template <class A>                  \
    static auto of(A a) {               \
      return expression;                \
    }                                   \
  };
HARNESS_UNARY(neg, -a)
HARNESS_UNARY(bit_not, ~a)
HARNESS_UNARY(inc, A(++a))
HARNESS_UNARY(dec, A(--a))
HARNESS_UNARY(and_reduce, a.and_reduce())
HARNESS_UNARY(or_reduce, a.or_reduce())
HARNESS_UNARY(xor_reduce, a.xor_reduce())
HARNESS_UNARY(to_int, a.to_int())
HARNESS_UNARY(to_uint, a.to_uint())
HARNESS_UNARY(to_int64, a.to_int64())
HARNESS_UNARY(to_uint64, a.to_uint64())
HARNESS_UNARY(to_float, a.to_float())
HARNESS_UNARY(to_double, a.to_double())
#undef HARNESS_UNARY

// Operators whose right operand is a plain int: a shift count, or the number of a bit.
#define HARNESS_COUNTED(name, expression) \
  struct name {                           \
    template <class A>                    \
    static auto of(A a, int count) {      \
      return expression;                  \
    }                                     \
  };
HARNESS_COUNTED(shift_left, a << count)
HARNESS_COUNTED(shift_right, a >> count)
HARNESS_COUNTED(assign_left, A(a <<= count))
HARNESS_COUNTED(assign_right, A(a >>= count))
HARNESS_COUNTED(bit, static_cast<bool>(a[count]))
#undef HARNESS_COUNTED

struct set {
  template <class A>
  static A of(A a, int place) {
    a[place] = true;
    return a;
  }
};
struct clear {
  template <class A>
  static A of(A a, int place) {
    a[place] = false;
    return a;
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
    write_result<decltype(result), R>(result, z + k * words<R>);
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

template <class Op, class A, class R>
void unary(const void* a, const void*, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    auto result = Op::of(read<A>(x + k * words<A>));
    write_result<decltype(result), R>(result, z + k * words<R>);
  }
}

// b holds a count for each element.
template <class Op, class A, class R>
void counted(const void* a, const void* b, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto y = static_cast<const std::int64_t*>(b);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    auto result = Op::of(read<A>(x + k * words<A>), static_cast<int>(y[k]));
    write_result<decltype(result), R>(result, z + k * words<R>);
  }
}

// a(hi, lo), assigned to R; b holds hi and lo.
template <class A, class R>
void slice(const void* a, const void* b, void* out, std::size_t n) {
  auto x = static_cast<const std::int64_t*>(a);
  auto ends = static_cast<const std::int64_t*>(b);
  auto z = static_cast<std::int64_t*>(out);
  for (std::size_t k = 0; k < n; ++k) {
    A value = read<A>(x + k * words<A>);
    write(R(value(static_cast<int>(ends[0]), static_cast<int>(ends[1]))), z + k * words<R>);
  }
}

}  // namespace harness

#endif  // HARNESS_FIXED_KERNELS_H
