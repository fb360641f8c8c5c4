// The top function of an hls4ml project as a kernel: rows of words in, rows of words out.
//
// The table of a project's shared object names one instantiation of `run`.  Where the top function
// is a copy that calls `tell` after each of its kernels, `trace` gives what it told instead. Before
// the rows stands what went wrong with a stream: `complaint_words` words, all 0 if nothing did.
#ifndef HARNESS_PROJECT_KERNELS_H
#define HARNESS_PROJECT_KERNELS_H

#include <cstring>
#include <iostream>
#include <map>
#include <streambuf>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "fixed_kernels.h"
#include "hls_stream.h"

namespace nnet {
// hls4ml's bridge defines these for top functions that save the outputs of their layers.
bool trace_enabled = false;
std::map<std::string, void*>* trace_outputs = nullptr;
size_t trace_type_size = sizeof(double);
}  // namespace nnet

namespace harness {
namespace project {

constexpr std::size_t complaint_words = 32;

// The first thing that went wrong with a stream: its row, counted from 1, and what it is.
class complaint {
 public:
  explicit complaint(std::int64_t* words) : words_(words) {
    std::memset(words_, 0, complaint_words * sizeof *words_);
  }

  void in_row(std::size_t row) { row_ = row; }

  void take(const std::string& text) {
    if (words_[0] != 0) return;
    words_[0] = static_cast<std::int64_t>(row_ + 1);
    const std::size_t room = (complaint_words - 1) * sizeof *words_;
    std::memcpy(words_ + 1, text.data(), text.size() < room ? text.size() : room);
  }

 private:
  std::int64_t* words_;
  std::size_t row_ = 0;
};

// What reads std::cout in a kernel's place: hls::stream says there, and there alone, that it is
// read while empty, or that something is left in it.  Every other line passes.
class listener : public std::streambuf {
 public:
  explicit listener(complaint& to) : to_(to), before_(std::cout.rdbuf(this)) {}
  ~listener() override { std::cout.rdbuf(before_); }

 protected:
  int_type overflow(int_type c) override {
    if (c == traits_type::eof()) return traits_type::not_eof(c);
    line_ += static_cast<char>(c);
    if (c == '\n') end_line();
    return c;
  }

 private:
  void end_line() {
    const std::string begin = "WARNING: Hls::stream '";
    if (line_.compare(0, begin.size(), begin) == 0) {
      // The stream's name in quotes, and what of it, up to the first comma.
      const std::string rest = line_.substr(begin.size());
      const std::size_t quote = rest.rfind('\'');
      to_.take("the stream " + rest.substr(0, quote) +
               rest.substr(quote + 1, rest.find(',', quote) - quote - 1));
    } else {
      before_->sputn(line_.data(), static_cast<std::streamsize>(line_.size()));
    }
    line_.clear();
  }

  complaint& to_;
  std::streambuf* before_;
  std::string line_;
};

// Where `tell` writes, and what it complains to; null while nobody listens.
inline std::int64_t* told = nullptr;
inline complaint* complaints = nullptr;

// Write an array's words.
template <class T>
void tell(const T* array, std::size_t size, const char*) {
  if (told == nullptr) return;
  for (std::size_t k = 0; k < size; ++k, told += words<T>) write(array[k], told);
}

// Write the words of what is in a stream, and leave it there; `size` values must be.
template <class Pack>
void tell(hls::stream<Pack>& stream, std::size_t size, const char* name) {
  constexpr int each = words<typename Pack::value_type>;
  if (told == nullptr) return;
  const std::size_t packs = stream.size(), wanted = size / Pack::size;
  if (packs != wanted)
    complaints->take("the stream " + std::string(name) + " is given " + std::to_string(packs) +
                     " packs of " + std::to_string(Pack::size) + ", " + std::to_string(wanted) +
                     " are wanted");
  std::int64_t* const end = told + size * each;
  for (std::size_t k = 0; k < packs; ++k) {
    const Pack pack = stream.read();
    for (unsigned i = 0; i < Pack::size && told < end; ++i, told += each) write(pack[i], told);
    stream.write(pack);
  }
  while (told < end) *told++ = 0;
}

// An argument of the top function: an array, read from words before the call or written after it.
template <class T, std::size_t Size, bool Input, const char* Name>
struct port {
  static constexpr std::size_t size = Size * words<T>;
  std::vector<T> values = std::vector<T>(Size, T(0));

  void take(const std::int64_t*& from) {
    if constexpr (Input)
      for (auto& value : values) {
        value = read<T>(from);
        from += words<T>;
      }
  }
  void give(std::int64_t*& to) {
    if constexpr (!Input)
      for (const auto& value : values) {
        write(value, to);
        to += words<T>;
      }
  }
  T* argument() { return values.data(); }
};

// The same for a stream of packs, which complains when it is done with and something is left in it.
template <class Pack, std::size_t Size, bool Input, const char* Name>
struct stream_port {
  using T = typename Pack::value_type;
  static constexpr std::size_t size = Size * words<T>;
  hls::stream<Pack> values{Name};

  void take(const std::int64_t*& from) {
    if constexpr (Input)
      for (std::size_t k = 0; k < Size / Pack::size; ++k) {
        Pack pack;
        for (unsigned i = 0; i < Pack::size; ++i, from += words<T>) pack[i] = read<T>(from);
        values.write(pack);
      }
  }
  void give(std::int64_t*& to) {
    if constexpr (!Input)
      for (std::size_t k = 0; k < Size / Pack::size; ++k) {
        const Pack pack = values.read();
        for (unsigned i = 0; i < Pack::size; ++i, to += words<T>) write(pack[i], to);
      }
  }
  hls::stream<Pack>& argument() { return values; }
};

template <class T, std::size_t Size, bool Input, const char* Name>
using any_port = std::conditional_t<Name == nullptr, port<T, Size, Input, nullptr>,
                                    stream_port<T, Size, Input, Name>>;
template <class T, std::size_t Size, const char* Name = nullptr>
using input = any_port<T, Size, true, Name>;
template <class T, std::size_t Size, const char* Name = nullptr>
using output = any_port<T, Size, false, Name>;

// Call Top for each of n rows, with arrays and streams that hold nothing of the row before.
template <auto Top, bool Trace, class... Ports>
void rows(const void* a, void* out, std::size_t n) {
  auto from = static_cast<const std::int64_t*>(a);
  auto to = static_cast<std::int64_t*>(out);
  complaint found(to);
  to += complaint_words;
  complaints = &found;
  listener listening(found);
  for (std::size_t k = 0; k < n; ++k) {
    found.in_row(k);
    std::tuple<Ports...> ports;
    std::apply([&](auto&... port) { (port.take(from), ...); }, ports);
    if constexpr (Trace) told = to;
    std::apply([](auto&... port) { Top(port.argument()...); }, ports);
    std::vector<std::int64_t> outputs((Ports::size + ...));
    std::int64_t* given = Trace ? outputs.data() : to;
    std::apply([&](auto&... port) { (port.give(given), ...); }, ports);
    to = Trace ? told : given;
  }
  told = nullptr;
}

template <auto Top, class... Ports>
void run(const void* a, const void*, void* out, std::size_t n) {
  rows<Top, false, Ports...>(a, out, n);
}

template <auto Top, class... Ports>
void trace(const void* a, const void*, void* out, std::size_t n) {
  rows<Top, true, Ports...>(a, out, n);
}

}  // namespace project
}  // namespace harness

#endif  // HARNESS_PROJECT_KERNELS_H
