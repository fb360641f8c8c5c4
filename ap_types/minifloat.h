// minifloat<M, E, E0>: a small floating-point number for HLS designs, without surprises.
//
// The format is that of the open ap_float<M, E, E0>: M mantissa bits, E exponent bits, exponents
// from -2^(E-1) + E0, which marks the subnormals, to 2^(E-1) - 1 + E0; neither infinities nor NaN;
// to nearest even; saturating.  Unlike ap_float it converts every source exactly as the format
// says: any double, any ap_fixed, zero and the most negative code included.
//
//   #include "minifloat.h"
//   harness::minifloat<3, 4, 0> weight = 0.3;          // or an ap_fixed, ap_int or integer
//   ap_fixed<8, 4> x = 1.5;
//   auto exact = weight * x;                           // an ap_fixed that holds the product
//   acc += exact;
//   weight.bits                                        // sign | exponent | mantissa, as ap_uint
//
// Limits: 0 <= M <= 52, 1 <= E <= 11.  A negative value that rounds to zero keeps its sign bit;
// zero has none.  NaN has no code: it becomes the largest magnitude.  Everything but from_double()
// and to_double() is integer logic; shifts are barrel shifters, loops unroll.
#ifndef HARNESS_MINIFLOAT_H
#define HARNESS_MINIFLOAT_H

#include <cmath>
#include <type_traits>

#include "ap_fixed.h"

namespace harness {

template <int M, int E, int E0 = 0>
struct minifloat {
  static_assert(M >= 0 && M <= 52, "mantissa bits M: 0 to 52");
  static_assert(E >= 1 && E <= 11, "exponent bits E: 1 to 11");

  static constexpr int width = 1 + E + M;
  static constexpr int half = 1 << (E - 1);
  static constexpr int emin = 1 - half + E0;  // of the smallest normal number
  static constexpr int emax = half - 1 + E0;

  // The type that holds every value.
  using fixed = ap_fixed<M + 2 * half + 1, 1 + half + E0>;

  // Sign, exponent in two's complement without E0, mantissa.
  ap_uint<width> bits;

  minifloat() : bits(ap_uint<width>(half) << M) {}
  minifloat(double x) { from_double(x); }
  minifloat(float x) { from_double(x); }

  template <class T, typename std::enable_if<std::is_integral<T>::value, int>::type = 0>
  minifloat(T x) {
    from_bits(ap_uint<64>(x), x < 0, 0);
  }

  template <int W, bool S>
  minifloat(const ap_int_base<W, S>& x) {
    from_bits(ap_uint<W>(x), x < 0, 0);
  }

  template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O, int N>
  minifloat(const ap_fixed_base<W, I, S, Q, O, N>& x) {
    ap_uint<W> word;
    word.V = x.V;
    from_bits(word, S && x < 0, I - W);
  }

  bool negative() const { return bits[width - 1]; }

  // The exponent field, counted from zero; zero marks the subnormals.
  int field() const {
    const ap_uint<E> raw = bits >> M;
    return static_cast<int>(raw) ^ half;
  }

  // The mantissa with its leading bit.
  ap_uint<M + 1> significand() const {
    ap_uint<M + 1> value = bits & ((ap_uint<width>(1) << M) - 1);
    if (field() != 0) value[M] = 1;
    return value;
  }

  // How far the significand is shifted from where subnormals have it.
  int shift() const { return field() == 0 ? 0 : field() - 1; }

  fixed to_ap_fixed() const {
    fixed result;
    ap_int<fixed::width> value = significand();
    value <<= shift() + 1;
    if (negative()) value = -value;
    result.V = value.V;
    return result;
  }

  double to_double() const {
    const double magnitude =
        std::ldexp(static_cast<double>(significand().to_uint64()), shift() + emin - M);
    return negative() ? -magnitude : magnitude;
  }

  // The product with a fixed-point number; nothing is lost.
  template <int W, int I, bool S>
  using product = ap_fixed<M + 2 * half - 1 + W + (S ? 0 : 1), half + E0 + I + (S ? 0 : 1)>;

  template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O, int N>
  product<W, I, S> operator*(const ap_fixed_base<W, I, S, Q, O, N>& x) const {
    using R = product<W, I, S>;
    ap_int_base<W, S> factor;
    factor.V = x.V;
    ap_int<R::width> value = factor;
    value *= significand();
    value <<= shift();
    if (negative()) value = -value;
    R result;
    result.V = value.V;
    return result;
  }

  // The product with another minifloat, in one that is wide enough; nothing is lost.
  template <int M2, int E2, int F0>
  minifloat<M + M2 + 1, (E > E2 ? E : E2) + 1, E0 + F0> operator*(
      const minifloat<M2, E2, F0>& x) const {
    minifloat<M + M2 + 1, (E > E2 ? E : E2) + 1, E0 + F0> result;
    const ap_uint<M + M2 + 2> magnitude =
        ap_uint<M + M2 + 2>(significand()) * ap_uint<M + M2 + 2>(x.significand());
    result.round(magnitude, negative() != x.negative(),
                 shift() + emin - M + x.shift() + minifloat<M2, E2, F0>::emin - M2);
    return result;
  }

  // Take the value +-magnitude * 2^exponent.
  template <int W>
  void round(const ap_uint<W>& magnitude, bool minus, int exponent) {
    if (magnitude == 0) {
      pack(false, 0);
      return;
    }
    int lead = 0;
    for (int i = 0; i < W; ++i) {
#pragma HLS UNROLL
      if (magnitude[i]) lead = i;
    }
    const int natural = exponent + lead;
    const int place = natural < emin ? emin : natural;  // of the leading bit that is kept
    if (place > emax) {
      pack(minus, largest());
      return;
    }
    const int drop = place - M - exponent;
    ap_uint<M + 2> kept = 0;
    bool guard = false, sticky = false;
    if (drop <= 0) {
      kept = ap_uint<M + 2>(magnitude) << -drop;
    } else {
      if (drop < W) kept = magnitude >> drop;
      if (drop <= W) guard = magnitude[drop - 1];
      for (int i = 0; i < W; ++i) {
#pragma HLS UNROLL
        if (i < drop - 1 && magnitude[i]) sticky = true;
      }
    }
    if (guard && (sticky || kept[0])) kept += 1;
    // The code is the significand plus the exponent field, so a carry moves to the next exponent.
    const ap_uint<width + 1> code = (ap_uint<width + 1>(place - emin) << M) + kept;
    pack(minus, code > largest() ? largest() : code);
  }

 private:
  // A magnitude's code has a biased exponent.
  static ap_uint<width + 1> largest() { return (ap_uint<width + 1>(1) << (width - 1)) - 1; }

  void pack(bool minus, const ap_uint<width + 1>& magnitude) {
    bits = magnitude ^ (ap_uint<width + 1>(half) << M);
    bits[width - 1] = minus;
  }

  // Two's complement in, sign and magnitude on.
  template <int W>
  void from_bits(ap_uint<W> word, bool minus, int exponent) {
    if (minus) word = ~word + 1;  // also of the most negative number, in as many bits
    round(word, minus, exponent);
  }

  void from_double(double x) {
    union {
      double value;
      unsigned long long word;
    } as;
    as.value = x;
    const int exponent = static_cast<int>(as.word >> 52 & 0x7FF);
    ap_uint<53> magnitude = as.word & 0xFFFFFFFFFFFFFULL;
    if (exponent == 0x7FF) {
      pack(as.word >> 63, largest());
      return;
    }
    if (exponent != 0) magnitude[52] = 1;
    round(magnitude, as.word >> 63, (exponent == 0 ? 1 : exponent) - 1075);
  }
};

template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O, int N, int M, int E, int E0>
auto operator*(const ap_fixed_base<W, I, S, Q, O, N>& x, const minifloat<M, E, E0>& y)
    -> decltype(y * x) {
  return y * x;
}

}  // namespace harness

#endif  // HARNESS_MINIFLOAT_H
