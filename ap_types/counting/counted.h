// The vendor's ap_fixed and ap_int, that count what assignments lose.
//
// Each is a class derived from the vendor's, which computes everything; after a conversion it is
// asked once more with as many integer bits as the value needs, which tells rounding from overflow.
// An assignment is known by the address that it returns to, which Python turns into a line.
#ifndef HARNESS_COUNTED_H
#define HARNESS_COUNTED_H

#include <cstdint>
#include <cstdio>
#include <map>
#include <type_traits>
#include <utility>

#include "../cosim_program.h"

namespace harness {
namespace counting {

struct tally {
  std::uint64_t count = 0;
  std::uint64_t overflowed = 0, carried = 0;  // carried: by the rounding alone
  std::uint64_t rounded = 0, tied = 0;        // tied: half way between two
};

// By the place of the assignment and the type that is assigned to.
using table = std::map<std::pair<void*, const char*>, tally>;
inline table& tallies() {
  static table* const all = new table;  // lives as long as anything may count
  return *all;
}

// What Python reads: a line for each, "place count overflowed carried rounded tied type".
inline void print_tallies() {
  for (const auto& each : tallies()) {
    const tally& own = each.second;
    std::printf("harness-count %p", each.first.first);
    for (std::uint64_t n : {own.count, own.overflowed, own.carried, own.rounded, own.tied})
      std::printf(" %llu", (unsigned long long)n);
    std::printf(" %s\n", each.first.second);
  }
  tallies().clear();
}

struct registered {
  registered() { cosim::print_counts = print_tallies; }
};
inline registered at_start;

constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

// How a type is spelled; the address is the type's own.
template <int W, int I, bool S, int Q, int O, int N, bool Integer>
const char* spelled() {
  static char text[96];
  if (text[0] == 0) {
    if (Integer)
      std::snprintf(text, sizeof text, "ap_%sint<%d>", S ? "" : "u", W);
    else
      std::snprintf(text, sizeof text, "ap_%sfixed<%d,%d,(ap_q_mode)%d,(ap_o_mode)%d,%d>",
                    S ? "" : "u", W, I, Q, O, N);
  }
  return text;
}

// Whether something is a number of the vendor's, or derived from one.
template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O, int N>
std::true_type is_fixed(const ap_fixed_base<W, I, S, Q, O, N>*);
std::false_type is_fixed(const void*);
template <int W, bool S>
std::true_type is_integer(const ap_int_base<W, S>*);
std::false_type is_integer(const void*);

// What is known of a target: its width, integer bits, sign and modes.
template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O, int N, bool Integer>
struct target {
  // After `value` became what it is of `x`.
  template <class X, class Value>
  static void note(const X& x, const Value& value, void* place) {
    if constexpr (decltype(is_fixed(&x))::value) {
      compare<X::iwidth>(x, value, place);
    } else if constexpr (decltype(is_integer(&x))::value) {
      compare<X::width + 1>(ap_fixed<X::width + 1, X::width + 1>(x), value, place);
    } else if constexpr (std::is_integral<X>::value) {
      compare<65>(ap_fixed<65, 65>(x), value, place);
    } else if constexpr (std::is_floating_point<X>::value) {
      compare<64>(ap_fixed<192, 64>(double(x)), value, place);
    }  // references to bits, text and the like are not looked into
  }

 private:
  template <int I2, class Given, class Value>
  static void compare(const Given& x, const Value& value, void* place) {
    constexpr int integer = larger(I, I2) + 2, width = larger(integer + W - I, 1);
    const ap_fixed<width, integer, Q, AP_WRAP> wide = x;
    tally& own = tallies()[{place, spelled<W, I, S, Q, O, N, Integer>()}];
    ++own.count;
    const auto off = wide - value;
    // An ap_int of a negative fraction is one more than truncation says.
    const bool over = Integer ? off > 1 || off < -1 : off != 0;
    own.overflowed += over;
    const ap_fixed<width, integer> below = x;
    const ap_fixed_base<W, I, S, AP_TRN, AP_SAT> held = below;
    own.carried += over && (below - held) == 0;
    if ((wide - x) == 0) return;
    ++own.rounded;
    ap_fixed<width, integer> step = 0;
    step.V = 1;
    const auto dropped = x - below;
    own.tied += (dropped + dropped - step) == 0;
  }
};

#define HARNESS_COUNTS(symbol)                                       \
  template <class X>                                                 \
  __attribute__((noinline)) self& operator symbol## = (const X& x) { \
    const auto exact = static_cast<const vendor&>(*this) symbol x;   \
    static_cast<vendor&>(*this) symbol## = x;                        \
    counts::note(exact, *this, __builtin_return_address(0));         \
    return *this;                                                    \
  }

// The class `name`, which stands for the vendor's.
#define HARNESS_COUNTED(name, vendors, parameters, arguments, ...)                          \
  template <parameters>                                                                     \
  struct name : vendors<arguments> {                                                        \
    using self = name;                                                                      \
    using vendor = vendors<arguments>;                                                      \
    using counts = target<__VA_ARGS__>;                                                     \
    name() {}                                                                               \
    name(const name&) = default;                                                            \
    name& operator=(const name&) = default;                                                 \
    template <class X,                                                                      \
              class = typename std::enable_if<std::is_convertible<X, vendor>::value>::type> \
    __attribute__((noinline)) name(const X& x) : vendor(x) {                                \
      counts::note(x, *this, __builtin_return_address(0));                                  \
    }                                                                                       \
    template <class X>                                                                      \
    __attribute__((noinline)) self& operator=(const X& x) {                                 \
      vendor::operator=(vendor(x));                                                         \
      counts::note(x, *this, __builtin_return_address(0));                                  \
      return *this;                                                                         \
    }                                                                                       \
    HARNESS_COUNTS(+)                                                                       \
    HARNESS_COUNTS(-)                                                                       \
    HARNESS_COUNTS(*)                                                                       \
    HARNESS_COUNTS(/)                                                                       \
  };

#define HARNESS_LIST(...) __VA_ARGS__
#define HARNESS_MODES ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP, int N = 0
HARNESS_COUNTED(fixed, ap_fixed, HARNESS_LIST(int W, int I, HARNESS_MODES),
                HARNESS_LIST(W, I, Q, O, N), W, I, true, Q, O, N, false)
HARNESS_COUNTED(ufixed, ap_ufixed, HARNESS_LIST(int W, int I, HARNESS_MODES),
                HARNESS_LIST(W, I, Q, O, N), W, I, false, Q, O, N, false)
HARNESS_COUNTED(integer, ap_int, int W, W, W, W, true, AP_TRN_ZERO, AP_WRAP, 0, true)
HARNESS_COUNTED(uinteger, ap_uint, int W, W, W, W, false, AP_TRN_ZERO, AP_WRAP, 0, true)
#undef HARNESS_MODES
#undef HARNESS_LIST
#undef HARNESS_COUNTED
#undef HARNESS_COUNTS

}  // namespace counting
}  // namespace harness

#define ap_fixed harness::counting::fixed
#define ap_ufixed harness::counting::ufixed
#define ap_int harness::counting::integer
#define ap_uint harness::counting::uinteger

#endif  // HARNESS_COUNTED_H
