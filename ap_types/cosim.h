// The arguments of a user's function, from rows of words and back, and the program around it.
//
// A row is one call: the arguments in their order, arrays in C order, a struct as its fields, a
// stream as the number of its values, then room for `capacity` of them.
#ifndef HARNESS_COSIM_H
#define HARNESS_COSIM_H

#include <cstdio>
#include <cstring>
#include <type_traits>

#include "cosim_program.h"
#if defined(__SYNTHESIS__)
#error "harness.cosim compiles for simulation; do not define __SYNTHESIS__"
#endif
#if __has_include("hls_stream.h")
#include "hls_stream.h"
#endif
#include "travel.h"

namespace harness {
namespace cosim {

// How many values a stream of the argument at hand has room for.
inline std::size_t capacity = 0;

// What a value travels as: an enumerator as its integer, all else as itself.
template <class T, bool = std::is_enum<T>::value>
struct carried {
  using type = T;
};
template <class T>
struct carried<T, true> {
  using type = typename std::underlying_type<T>::type;
};

// One value; arrays below, structs in the generated file, which specialises this too.
template <class T>
struct argument {
  using number = typename carried<T>::type;
  static constexpr std::size_t words = travel<number>::words;
  static const std::int64_t* load(T& value, const std::int64_t* from) {
    value = static_cast<T>(travel<number>::read(from));
    return from + words;
  }
  static std::int64_t* store(T& value, std::int64_t* to) {
    travel<number>::write(static_cast<number>(value), to);
    return to + words;
  }
  // Not T(): the vendor's numbers begin as whatever was there.
  static void clear(T& value) {
    const std::int64_t zeros[words] = {};
    value = static_cast<T>(travel<number>::read(zeros));
  }
};

template <class T>
const std::int64_t* load(T& value, const std::int64_t* from) {
  return argument<T>::load(value, from);
}

template <class T>
std::int64_t* store(T& value, std::int64_t* to) {
  return argument<T>::store(value, to);
}

// What only the function writes begins at zero in every call.
template <class T>
void clear(T& value) {
  argument<T>::clear(value);
}

template <class T, std::size_t N>
struct argument<T[N]> {
  static constexpr std::size_t words = N * argument<T>::words;
  static const std::int64_t* load(T (&values)[N], const std::int64_t* from) {
    for (T& value : values) from = cosim::load(value, from);
    return from;
  }
  static std::int64_t* store(T (&values)[N], std::int64_t* to) {
    for (T& value : values) to = cosim::store(value, to);
    return to;
  }
  static void clear(T (&values)[N]) {
    for (T& value : values) cosim::clear(value);
  }
};

#ifdef X_HLS_STREAM_SIM_H
template <class T>
struct argument<hls::stream<T>> {
  static const std::int64_t* load(hls::stream<T>& stream, const std::int64_t* from) {
    const std::int64_t* next = from + 1;
    for (std::int64_t k = 0; k < *from; ++k) {
      T value;
      next = cosim::load(value, next);
      stream.write(value);
    }
    return from + 1 + capacity * argument<T>::words;
  }
  static std::int64_t* store(hls::stream<T>& stream, std::int64_t* to) {
    const std::size_t count = stream.size() < capacity ? stream.size() : capacity;
    if (stream.size() > capacity)
      complain("writes %zu values into a stream, which has room for %zu: name more with sizes=",
               stream.size(), capacity);
    std::int64_t* next = to + 1;
    for (std::size_t k = 0; k < count; ++k) {
      T value = stream.read();
      next = cosim::store(value, next);
    }
    clear(stream);
    *to = count;
    return to + 1 + capacity * argument<T>::words;
  }
  static void clear(hls::stream<T>& stream) {
    while (!stream.empty()) stream.read();
  }
  // What a call leaves in a stream that it reads would be the next one's.
  static void drained(hls::stream<T>& stream, const char* name) {
    std::size_t left = stream.size();
    if (left) complain("leaves %zu values of the stream %s unread", left, name);
    clear(stream);
  }
};

template <class T>
void drained(hls::stream<T>& stream, const char* name) {
  argument<hls::stream<T>>::drained(stream, name);
}

template <class T, std::size_t N>
void drained(T (&streams)[N], const char* name) {
  for (T& stream : streams) drained(stream, name);
}
#endif

}  // namespace cosim
}  // namespace harness

#endif  // HARNESS_COSIM_H
