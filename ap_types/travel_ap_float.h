// How the vendor's open ap_float travels: one word of sign | exponent in two's complement |
// mantissa.
#ifndef HARNESS_TRAVEL_AP_FLOAT_H
#define HARNESS_TRAVEL_AP_FLOAT_H

#include <sstream>

#include "ap_float.h"
#include "travel.h"

namespace harness {

template <int M, int E, int E0>
struct travel<ap_float<M, E, E0>> {
  static constexpr int words = 1;
  static ap_float<M, E, E0> read(const std::int64_t* from) {
    ap_float<M, E, E0> value;
    value.is_negative = *from >> (M + E) & 1;
    value.exponent.V = *from >> M;
    value.mantissa.V = *from;
    return value;
  }
  static void write(const ap_float<M, E, E0>& value, std::int64_t* to) {
    const auto sign = static_cast<std::uint64_t>(value.is_negative);
    const auto exponent = static_cast<std::uint64_t>(value.exponent.V.get_VAL());
    const auto mantissa = static_cast<std::uint64_t>(value.mantissa.V.get_VAL());
    *to = static_cast<std::int64_t>(sign << (M + E) |
                                    (exponent & ((std::uint64_t(1) << E) - 1)) << M |
                                    (mantissa & ((std::uint64_t(1) << M) - 1)));
  }
};

}  // namespace harness

#endif  // HARNESS_TRAVEL_AP_FLOAT_H
