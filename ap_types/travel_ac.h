// How Mentor's ac_fixed and ac_int travel: as ap_fixed does, in whole 64-bit words.
#ifndef HARNESS_TRAVEL_AC_H
#define HARNESS_TRAVEL_AC_H

#include "ac_fixed.h"
#include "travel.h"

namespace harness {

template <int W, bool S>
struct travel<ac_int<W, S>> {
  static constexpr int words = (W + 63) / 64;
  static ac_int<W, S> read(const std::int64_t* from) {
    ac_int<64 * words, S> value;
    for (int i = 0; i < words; ++i) value.set_slc(64 * i, ac_int<64, true>(from[i]));
    return value;
  }
  static void write(const ac_int<W, S>& value, std::int64_t* to) {
    const ac_int<64 * words, S> wide = value;  // extends
    for (int i = 0; i < words; ++i) to[i] = wide.template slc<64>(64 * i).to_int64();
  }
};

template <int W, int I, bool S, ac_q_mode Q, ac_o_mode O>
struct travel<ac_fixed<W, I, S, Q, O>> {
  using bits = travel<ac_int<W, S>>;
  static constexpr int words = bits::words;
  static ac_fixed<W, I, S, Q, O> read(const std::int64_t* from) {
    ac_fixed<W, I, S, Q, O> value;
    value.set_slc(0, bits::read(from));
    return value;
  }
  static void write(const ac_fixed<W, I, S, Q, O>& value, std::int64_t* to) {
    const ac_int<W, false> raw = value.template slc<W>(0);
    ac_int<W, S> code;
    code.set_slc(0, raw);
    bits::write(code, to);
  }
};

}  // namespace harness

#endif  // HARNESS_TRAVEL_AC_H
