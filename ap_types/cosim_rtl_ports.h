// A port of a verilated design: codes to bits and back, channels, and what every part answers.
#ifndef HARNESS_COSIM_RTL_PORTS_H
#define HARNESS_COSIM_RTL_PORTS_H

#include <verilated.h>

#include <string>
#include <vector>

#include "cosim_program.h"

namespace harness {
namespace cosim {
namespace rtl {

// Pins that are not there: read as 0 or 1, or written.
inline CData never = 0, always = 1, nobody = 0;

// An argument: its name, the bits of its type and of its port, and how many elements it has.
struct spot {
  const char* name;
  unsigned width, port;
  bool is_signed;
  std::size_t count;
  int place;  // among the arguments

  std::size_t words() const { return (width + 63) / 64; }
};

// Codes and ports.  Verilator wants the bits above a port's width to be zero. --------------------

inline std::uint64_t mask(unsigned width) {
  return width >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << width) - 1;
}

// The bits from 64 * k on of a code of `words` words.
inline std::uint64_t word_of(const std::int64_t* from, std::size_t words, std::size_t k,
                             bool is_signed) {
  if (k < words) return from[k];
  return is_signed && from[words - 1] < 0 ? ~std::uint64_t(0) : 0;
}

template <class T>
void put(T& port, const std::int64_t* from, const spot& at) {
  port = static_cast<T>(from[0] & mask(at.port));
}

template <std::size_t N>
void put(VlWide<N>& port, const std::int64_t* from, const spot& at) {
  for (std::size_t k = 0; k < N; ++k) {
    const std::uint64_t word = word_of(from, at.words(), k / 2, at.is_signed);
    port[k] = static_cast<EData>(word >> (k % 2 ? 32 : 0));
  }
  if (at.port % 32) port[N - 1] &= mask(at.port % 32);
}

inline std::int64_t extended(std::uint64_t word, unsigned width, bool is_signed) {
  if (width >= 64) return word;
  const unsigned free = 64 - width;
  return is_signed ? static_cast<std::int64_t>(word << free) >> free : word & mask(width);
}

template <class T>
void get(const T& port, std::int64_t* to, const spot& at) {
  to[0] = extended(port, at.width, at.is_signed);
}

template <std::size_t N>
void get(const VlWide<N>& port, std::int64_t* to, const spot& at) {
  const std::size_t words = at.words();
  for (std::size_t k = 0; k < words; ++k) {
    const std::uint64_t high = 2 * k + 1 < N ? port[2 * k + 1] : 0;
    to[k] = high << 32 | port[2 * k];
  }
  to[words - 1] = extended(to[words - 1], at.width - 64 * (words - 1), at.is_signed);
}

// A port that is no array has one element.
template <class T>
T& element(T& port, std::size_t) {
  return port;
}
template <class T, std::size_t N>
T& element(T (&port)[N], std::size_t k) {
  return port[k];
}

// What nobody may look at, as it is in each copy of the design: all 0, all 1, or something.
template <class T>
void unknown_bits(T& port, int unknown, const spot& at) {
  std::vector<std::int64_t> bits((at.port + 63) / 64);
  for (std::size_t k = 0; k < bits.size(); ++k)
    bits[k] = unknown == 0 ? 0 : unknown == 1 ? -1 : 0x5a3c96e1d2b4780f * (2 * k + 1);
  spot all = at;
  all.width = at.port;
  put(port, bits.data(), all);
}

// Say which bit of an output differs between two rows.
inline void explain_words(const spot& at, const std::int64_t* ours, const std::int64_t* theirs,
                          std::size_t count, bool array) {
  for (std::size_t k = 0; k < count * at.words(); ++k) {
    const std::uint64_t apart = ours[k] ^ theirs[k];
    if (!apart) continue;
    const std::size_t bit = 64 * (k % at.words()) + __builtin_ctzll(apart);
    std::string where = at.name;
    if (array) where += "[" + std::to_string(k / at.words()) + "]";
    if (at.width > 1) where += "[" + std::to_string(bit) + "]";
    return complain("gives what nothing decides: %s depends on an unknown (X)", where.c_str());
  }
}

// What every part answers; most parts do most things the same way. -------------------------------

struct part {
  spot at;
  int unknown = 0;

  void prepare(int copy, unsigned) { unknown = copy; }
  std::size_t words_in() const { return 0; }
  std::size_t words_out() const { return 0; }
  void idle() {}
  void begin(const std::int64_t*) {}
  void sample() {}
  bool complete() const { return true; }
  void last(bool) {}
  void drive() {}
  void end(std::int64_t*) {}
  void explain(const std::int64_t*, const std::int64_t*) {}
  std::string waits() const { return {}; }

  // Where a transfer is a call.
  void open(const std::int64_t*, std::int64_t*, std::size_t, std::size_t, std::size_t) {}
  std::size_t transfer() { return 0; }
  std::size_t transferred() const { return ~std::size_t(0); }
};

// A channel: data is there when valid, and goes over when ready, too.  Parts that share its pins
// have one each, and these pause in the same cycles.
struct channel {
  CData *valid, *ready;
  unsigned number;
  std::uint32_t luck = 0;

  bool moves() const { return *valid && *ready; }
  void accept(bool whether) {
    if (ready != &always) *ready = whether;
  }
  void seed(unsigned stalls) { luck = stalls ? (stalls * 64 + number) * 2654435761u | 1 : 0; }
  // Whether it goes on in this cycle: always, unless pauses were asked for.
  bool goes() {
    if (!luck) return true;
    luck ^= luck << 13, luck ^= luck >> 17, luck ^= luck << 5;
    return luck & 0x100;
  }
};

// A part at a channel.
struct channelled : part {
  channel by;

  channelled(const spot& at, const channel& by) : part{at}, by(by) {}
  void prepare(int copy, unsigned stalls) {
    unknown = copy;
    by.seed(stalls);
  }
};

}  // namespace rtl
}  // namespace cosim
}  // namespace harness

#endif  // HARNESS_COSIM_RTL_PORTS_H
