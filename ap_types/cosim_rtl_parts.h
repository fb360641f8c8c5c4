// What sits at the ports of a verilated design: the arguments of a call, and the memories and
// streams that hold them.
//
// A cycle is: the pins as they are, the clock low, `sample` what the design says, the clock high,
// `drive` the pins of the next cycle.
#ifndef HARNESS_COSIM_RTL_PARTS_H
#define HARNESS_COSIM_RTL_PARTS_H

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "cosim_rtl_ports.h"

namespace harness {
namespace cosim {
namespace rtl {

// An argument that goes in through a port, and stays there during the call.
template <class T>
struct input : channelled {
  T& data;
  bool acknowledged = false, offered = false;
  const std::int64_t* rows = nullptr;
  std::size_t stride = 0, next = 0, calls = 0;

  input(T& data, const spot& at, channel by) : channelled(at, by), data(data) {}

  std::size_t words_in() const { return at.count * at.words(); }
  void idle() { *by.valid = 0; }
  void begin(const std::int64_t* from) {
    for (std::size_t k = 0; k < at.count; ++k) put(element(data, k), from + k * at.words(), at);
    *by.valid = 1;
  }
  void sample() { acknowledged = *by.ready; }
  void drive() {
    if (calls) {
      if (acknowledged || !offered) offer();
    } else if (acknowledged) {
      *by.valid = 0;
    }
  }

  void open(const std::int64_t* from, std::int64_t*, std::size_t in, std::size_t,
            std::size_t count) {
    rows = from, stride = in, calls = count, next = 0;
    offer();
  }
  void offer() {
    offered = next < calls && by.goes();
    if (offered) return begin(rows + next * stride);
    *by.valid = 0;
    for (std::size_t k = 0; k < at.count; ++k) unknown_bits(element(data, k), unknown, at);
  }
  std::size_t transfer() {
    acknowledged = by.moves();
    next += acknowledged;
    return acknowledged;
  }
  std::size_t transferred() const { return next; }
  std::string waits() const {
    return calls && next < calls ? std::string(at.name) + " waits to be taken" : std::string();
  }
};

enum class when { now, at_the_end, valid };

// An argument that comes out of a port: at once, at the end of a call, or when it is valid.
template <class T>
struct output : channelled {
  T& data;
  when taken;
  bool counted, seen = false;
  std::vector<std::int64_t> kept;
  std::int64_t* rows = nullptr;
  std::size_t stride = 0, next = 0, calls = 0;

  output(T& data, const spot& at, channel by, when taken, bool counted)
      : channelled(at, by),
        data(data),
        taken(taken),
        counted(counted),
        kept(at.count * at.words()) {}

  std::size_t words_out() const { return at.count * at.words(); }
  void idle() { by.accept(0); }
  void begin(const std::int64_t*) {
    if (taken == when::now) return;
    kept.assign(kept.size(), 0);  // as in C++, what is not written is 0
    seen = false;
    by.accept(1);
  }
  void take(std::int64_t* to) {
    for (std::size_t k = 0; k < at.count; ++k) get(element(data, k), to + k * at.words(), at);
  }
  void sample() {
    if (taken != when::valid || !*by.valid) return;
    take(kept.data());
    seen = true;
  }
  bool complete() const { return !counted || taken != when::valid || seen; }
  void last(bool done) {
    if (done && taken == when::at_the_end) take(kept.data());
  }
  void end(std::int64_t* to) {
    if (taken == when::now) return take(to);
    std::copy(kept.begin(), kept.end(), to);
  }
  void drive() {
    if (calls) by.accept(by.goes());
  }
  void explain(const std::int64_t* ours, const std::int64_t* theirs) {
    explain_words(at, ours, theirs, at.count, at.count > 1);
  }

  void open(const std::int64_t*, std::int64_t* to, std::size_t, std::size_t out,
            std::size_t count) {
    rows = to, stride = out, calls = count, next = 0;
    by.accept(by.goes());
  }
  std::size_t transfer() {
    if (!by.moves()) return 0;
    if (next < calls) take(rows + next * stride);
    if (next == calls) complain("gives %s more often than it was called", at.name);
    ++next;
    return 1;
  }
  std::size_t transferred() const { return next < calls ? next : calls; }
  std::string waits() const {
    return calls && next < calls ? std::string(at.name) + " does not come" : std::string();
  }
};

// One port of a memory; what it has not is null.
template <class A, class T>
struct bank {
  A& address;
  CData *enable, *write;
  T *d, *q;
  T next{};
  bool reads = false;

  bank(A& address, CData* enable, CData* write, T* d, T* q)
      : address(address), enable(enable), write(write), d(d), q(q) {}
};

template <class T>
T* none(T&) {
  return nullptr;
}

// An array in a memory outside the design (ap_memory): what is read comes a cycle later.
template <class T, class... Banks>
struct memory : part {
  std::tuple<Banks...> banks;
  bool goes_in, comes_out;
  std::vector<T> items;

  memory(const T&, const spot& at, bool goes_in, bool comes_out, Banks... banks)
      : part{at}, banks(banks...), goes_in(goes_in), comes_out(comes_out), items(at.count) {}

  template <class Visit>
  void each(Visit visit) {
    std::apply([&](auto&... b) { (visit(b), ...); }, banks);
  }
  std::size_t words_in() const { return goes_in ? at.count * at.words() : 0; }
  std::size_t words_out() const { return comes_out ? at.count * at.words() : 0; }
  void idle() {
    each([&](auto& b) {
      if (b.q) unknown_bits(*b.q, unknown, at);
    });
  }
  void begin(const std::int64_t* from) {
    const std::vector<std::int64_t> zero(at.words());
    for (std::size_t k = 0; k < at.count; ++k)
      put(items[k], goes_in ? from + k * at.words() : zero.data(), at);
  }
  // What is read in the cycle of a write is what was there.
  void sample() {
    each([&](auto& b) {
      b.reads = b.q && *b.enable;
      if (!b.reads) return;
      if (b.address < at.count) {
        b.next = items[b.address];
      } else {
        unknown_bits(b.next, unknown, at);
      }
    });
    each([&](auto& b) {
      if (!b.d || !*b.enable || !*b.write) return;
      if (b.address < at.count) {
        items[b.address] = *b.d;
      } else {
        complain("writes %s[%llu], which has %zu elements", at.name,
                 static_cast<unsigned long long>(b.address), at.count);
      }
    });
  }
  void drive() {
    each([](auto& b) {
      if (b.reads) *b.q = b.next;
    });
  }
  void end(std::int64_t* to) {
    if (comes_out)
      for (std::size_t k = 0; k < at.count; ++k) get(items[k], to + k * at.words(), at);
  }
  void explain(const std::int64_t* ours, const std::int64_t* theirs) {
    if (comes_out) explain_words(at, ours, theirs, at.count, true);
  }
};

// A stream that goes in (AXI-stream, ap_fifo).
template <class T>
struct stream_in : channelled {
  T& data;
  CData* final;  // TLAST
  bool counted, moved = false;
  const std::int64_t* row = nullptr;
  std::size_t next = 0, count = 0;

  stream_in(T& data, const spot& at, channel by, CData* final, bool counted)
      : channelled(at, by), data(data), final(final), counted(counted) {}

  std::size_t words_in() const { return 1 + facts->capacities[at.place] * at.words(); }
  void idle() {
    *by.valid = 0;
    unknown_bits(data, unknown, at);
  }
  void begin(const std::int64_t* from) {
    row = from + 1, count = *from, next = 0;
    offer();
  }
  void offer() {
    if (next >= count || !by.goes()) return idle();
    put(data, row + next * at.words(), at);
    *by.valid = 1;
    *final = next + 1 == count;
  }
  void sample() {
    moved = by.moves();
    next += moved;
  }
  bool complete() const { return !counted || next == count; }
  void drive() {
    if (moved || !*by.valid) offer();
  }
  void end(std::int64_t*) {
    if (next != count) complain("leaves %zu values of the stream %s unread", count - next, at.name);
  }
  std::string waits() const {
    if (next == count) return {};
    return std::string(at.name) + " has " + std::to_string(count - next) + " values to be read";
  }
};

// A stream that comes out.
template <class T>
struct stream_out : channelled {
  T& data;
  CData* final;
  bool counted, has_final, ended = false;
  std::size_t length, seen = 0;
  std::vector<std::int64_t> kept;

  // Where there is no ap_done, a call ends with TLAST, or after `length` values.
  stream_out(T& data, const spot& at, channel by, CData* final, bool has_final, bool counted,
             std::size_t length)
      : channelled(at, by),
        data(data),
        final(final),
        counted(counted),
        has_final(has_final),
        length(length) {}

  std::size_t room() const { return facts->capacities[at.place]; }
  std::size_t words_out() const { return 1 + room() * at.words(); }
  void idle() { by.accept(0); }
  void begin(const std::int64_t*) {
    seen = 0, ended = false;
    kept.clear();
    by.accept(by.goes());
  }
  void sample() {
    if (!by.moves()) return;
    kept.resize(++seen * at.words());
    get(data, kept.data() + (seen - 1) * at.words(), at);
    ended = ended || *final;
  }
  bool complete() const { return !counted || (has_final ? ended : seen >= length); }
  void drive() { by.accept(by.goes()); }
  void end(std::int64_t* to) {
    if (seen > room())
      return complain("writes %zu values into %s, which has room for %zu: name more with sizes=",
                      seen, at.name, room());
    *to = seen;
    std::copy(kept.begin(), kept.end(), to + 1);
    std::fill(to + 1 + kept.size(), to + words_out(), 0);
  }
  void explain(const std::int64_t* ours, const std::int64_t* theirs) {
    if (*ours != *theirs)
      return complain("gives as many values of %s as an unknown (X) decides", at.name);
    explain_words(at, ours + 1, theirs + 1, *ours, true);
  }
  std::string waits() const {
    if (counted && !complete())
      return std::string(at.name) + " has only " + std::to_string(seen) + " values";
    return {};
  }
};

}  // namespace rtl
}  // namespace cosim
}  // namespace harness

#endif  // HARNESS_COSIM_RTL_PARTS_H
