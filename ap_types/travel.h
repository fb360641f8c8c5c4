// How a value travels between Python and C++: as its code, in whole 64-bit words.
//
// A value of W bits is ceil(W / 64) little-endian words, sign- or zero-extended.  Bits are read and
// written as bits; nothing goes through to_double() or to_string().
#ifndef HARNESS_TRAVEL_H
#define HARNESS_TRAVEL_H

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ap_fixed.h"
#include "ap_int.h"

namespace harness {

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

// C++ numbers travel as their codes: integers extended, floats as their IEEE word.
template <class Integer>
struct travel_integer {
  static constexpr int words = 1;
  static Integer read(const std::int64_t* from) { return static_cast<Integer>(*from); }
  static void write(Integer value, std::int64_t* to) { *to = static_cast<std::int64_t>(value); }
};
template <class Float, class Word>
struct travel_float {
  static constexpr int words = 1;
  static Float read(const std::int64_t* from) {
    const auto word = static_cast<Word>(*from);
    Float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
  static void write(Float value, std::int64_t* to) {
    Word word;
    std::memcpy(&word, &value, sizeof value);
    *to = static_cast<std::int64_t>(word);
  }
};
#define HARNESS_INTEGER(name) \
  template <>                 \
  struct travel<name> : travel_integer<name> {};
HARNESS_INTEGER(bool)
HARNESS_INTEGER(char)
HARNESS_INTEGER(signed char)
HARNESS_INTEGER(unsigned char)
HARNESS_INTEGER(short)
HARNESS_INTEGER(unsigned short)
HARNESS_INTEGER(int)
HARNESS_INTEGER(unsigned)
HARNESS_INTEGER(long)
HARNESS_INTEGER(unsigned long)
HARNESS_INTEGER(long long)
HARNESS_INTEGER(unsigned long long)
#undef HARNESS_INTEGER
template <>
struct travel<double> : travel_float<double, std::uint64_t> {};
template <>
struct travel<float> : travel_float<float, std::uint32_t> {};

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

}  // namespace harness

#endif  // HARNESS_TRAVEL_H
