// A verilated design, called: rows of words through its ports, by the protocol that they have.
//
// The generated file names the ports (harness.cosim.rtl_program); the parts that sit at them are in
// cosim_rtl_parts.h.  Verilator knows no X: what is X elsewhere begins as some value.  So there are
// several copies of the design whose unknown bits begin differently, and an output in which they
// differ depends on one.
#ifndef HARNESS_COSIM_RTL_H
#define HARNESS_COSIM_RTL_H

#include <fcntl.h>

#include <memory>
#include <string>
#include <vector>

#include "cosim_rtl_parts.h"

namespace harness {
namespace cosim {
namespace rtl {

// Thrown out of the design by $finish, a failed assertion, or Verilator itself.
struct stopped {};

// How calls are made.  Zero latency is that of a path without a register.
struct protocol {
  enum kind { combinational, pipeline, transfers, control } kind;
  std::size_t latency, interval;  // of a pipeline
  std::size_t cycles;             // without progress, after which a call hangs
  std::size_t reset_cycles;
  unsigned stalls;  // seeds the pauses of channels; 0: none
};

// The pins that are nobody's argument; those that are not there point to a spare one.
struct pins {
  CData *clock, *reset;
  CData active;  // level of the reset
  CData *start, *done, *ready, *go_on;
};

// A copy of the design.
template <class Top, class Parts>
class copy {
 public:
  using make = Parts (*)(Top&);
  using control = pins (*)(Top&);

  copy(const protocol& how, make parts_of, control pins_of, int unknown, const char* waves)
      : how_(how), top_(started(context_, unknown)), parts_(parts_of(top_)), pins_(pins_of(top_)) {
    each([&](auto& part) { part.prepare(unknown, how.stalls); });
#if HARNESS_WAVES
    if (waves) {
      context_.traceEverOn(true);
      top_.trace(&waves_, 99);
      waves_.open(waves);
    }
#else
    (void)waves;
#endif
  }

  // Reset, once; what goes in is unknown then.
  void begin() {
    if (begun_) return;
    begun_ = true;
    context_.assertOn(false);  // registers may not have their values yet
    idle();
    *pins_.reset = !pins_.active;
    if (how_.kind != protocol::combinational) low();  // so that its edge is one
    *pins_.reset = pins_.active;
    for (std::size_t k = 0; k < how_.reset_cycles; ++k) low(), high();
    *pins_.reset = !pins_.active;
    if (how_.kind != protocol::combinational) low();
    context_.assertOn(true);
  }

  // All calls of a batch but for what a pipeline still holds.
  void batch(const std::int64_t* from, std::int64_t* to, std::size_t rows) {
    from_ = from, to_ = to, rows_ = rows;
    switch (how_.kind) {
      case protocol::combinational:
        return evaluated();
      case protocol::pipeline:
        return clocked();
      case protocol::transfers:
        return transferred();
      case protocol::control:
        return called();
    }
  }

  // What a pipeline still holds; the state is then no longer that after the last call.
  void flush() {
    const std::size_t end = rows_ * how_.interval + how_.latency;
    if (how_.kind != protocol::pipeline || how_.latency == 0) return;
    facts->call = rows_ - 1;
    for (std::size_t t = rows_ * how_.interval; t < end; ++t) cycle_of_pipeline(t);
  }

  void close_waves() {
#if HARNESS_WAVES
    waves_.close();
#endif
  }

  template <class Visit>
  void each(Visit visit) {
    std::apply([&](auto&... part) { (visit(part), ...); }, parts_);
  }

 private:
  static VerilatedContext* started(VerilatedContext& context, int unknown) {
    context.randReset(unknown);
    context.randSeed(1);
    return &context;
  }

  void low() {
    *pins_.clock = 0;
    evaluate();
  }
  void high() {
    *pins_.clock = 1;
    evaluate();
  }
  void evaluate() {
    top_.eval();
#if HARNESS_WAVES
    if (waves_.isOpen()) waves_.dump(context_.time());
    context_.timeInc(5);
#endif
  }
  void idle() {
    *pins_.start = 0;
    *pins_.go_on = 1;
    each([](auto& part) { part.idle(); });
  }
  void begin_row(std::size_t row) {
    const std::int64_t* from = from_ + row * words_in();
    each([&](auto& part) {
      part.begin(from);
      from += part.words_in();
    });
  }
  void end_row(std::size_t row) {
    std::int64_t* to = to_ + row * words_out();
    each([&](auto& part) {
      part.end(to);
      to += part.words_out();
    });
  }
  std::size_t words_in() {
    std::size_t words = 0;
    each([&](auto& part) { words += part.words_in(); });
    return words;
  }
  std::size_t words_out() {
    std::size_t words = 0;
    each([&](auto& part) { words += part.words_out(); });
    return words;
  }

  void evaluated() {
    for (facts->call = 0; facts->call < rows_; ++facts->call) {
      begin_row(facts->call);
      evaluate();
      end_row(facts->call);
    }
  }

  void clocked() {
    for (std::size_t t = 0; t < rows_ * how_.interval; ++t) cycle_of_pipeline(t);
  }
  void cycle_of_pipeline(std::size_t t) {
    const std::size_t row = t / how_.interval;
    if (row < rows_ && t % how_.interval == 0) begin_row(facts->call = row);
    low();
    if (t >= how_.latency && (t - how_.latency) % how_.interval == 0) {
      const std::size_t out = (t - how_.latency) / how_.interval;
      if (out < rows_) end_row(out);
    }
    high();
  }

  // One transfer a call on each channel, as fast as the design takes them.
  void transferred() {
    std::size_t done = 0, since = 0;
    const std::int64_t* from = from_;
    std::int64_t* to = to_;
    each([&](auto& part) {
      part.open(from, to, words_in(), words_out(), rows_);
      from += part.words_in(), to += part.words_out();
    });
    while (done < rows_) {
      low();
      std::size_t least = rows_, moved = 0;
      each([&](auto& part) {
        moved += part.transfer();
        least = part.transferred() < least ? part.transferred() : least;
      });
      facts->call = done = least;
      if (facts->complaint[0]) return;
      high();
      each([](auto& part) { part.drive(); });
      since = moved ? 0 : since + 1;
      if (done < rows_ && since >= how_.cycles) return hangs();
    }
    idle();
    low();
  }

  // One call after the other: from start to done, or until every stream had what it takes.
  void called() {
    for (facts->call = 0; facts->call < rows_; ++facts->call) {
      begin_row(facts->call);
      *pins_.start = 1;
      bool done = false;
      for (std::size_t t = 0; !done; ++t) {
        if (t >= how_.cycles) return hangs();
        low();
        const bool ready = *pins_.ready;
        done = *pins_.done;
        each([](auto& part) { part.sample(); });
        each([&](auto& part) { done = done && part.complete(); });
        each([&](auto& part) { part.last(done); });
        high();
        if (ready) *pins_.start = 0;
        each([](auto& part) { part.drive(); });
      }
      end_row(facts->call);
      if (facts->complaint[0]) return;
      idle();
    }
    low();
  }

  void hangs() {
    std::string waits;
    each([&](auto& part) {
      if (waits.empty()) waits = part.waits();
    });
    complain("does not finish within %zu cycles%s%s", how_.cycles, waits.empty() ? "" : "; ",
             waits.c_str());
  }

  protocol how_;
  VerilatedContext context_;
  Top top_;
  Parts parts_;
  pins pins_;
  bool begun_ = false;
  const std::int64_t* from_ = nullptr;
  std::int64_t* to_ = nullptr;
  std::size_t rows_ = 0;
#if HARNESS_WAVES
  HARNESS_WAVES_FILE waves_;
#endif
};

// The copies, and what is said where they differ.
template <class Top, class Parts>
class design {
 public:
  using one = copy<Top, Parts>;

  design(const protocol& how, typename one::make parts_of, typename one::control pins_of,
         int copies, const char* waves)
      : how_(how) {
    for (int k = 0; k < copies; ++k)
      copies_.push_back(std::make_unique<one>(how, parts_of, pins_of, k, k == 0 ? waves : nullptr));
    waves_ = waves != nullptr;
  }

  // All rows of the page at once.
  void batch(const std::int64_t* from, std::int64_t* to) {
    const std::size_t rows = facts->rows;
    std::size_t words = 0;
    copies_[0]->each([&](auto& part) { words += part.words_out(); });
    ends_.assign(copies_.size(), {});
    spare_.assign((copies_.size() - 1) * rows * words, 0);
    for (std::size_t k = 0; k < copies_.size(); ++k) {
      std::int64_t* out = k == 0 ? to : spare_.data() + (k - 1) * rows * words;
      run(k, rows, [&] {
        copies_[k]->begin();
        copies_[k]->batch(from, out, rows);
      });
    }
    flushed(rows, [&] { judge(to, rows, words); });
    for (auto& copy : copies_) copy->close_waves();
    if (!facts->complaint[0]) facts->call = rows - 1;  // there is nothing left to run
  }

 private:
  struct end {
    std::size_t call;
    std::string complaint;
  };

  template <class Run>
  void run(std::size_t k, std::size_t rows, Run run) {
    if (!ends_[k].complaint.empty()) return;
    facts->call = 0;
    fflush(stdout);
    const int heard = k == 0 ? 1 : dup(1);  // what the copies print is the same
    if (k) dup2(silence_, 1);
    try {
      run();
    } catch (const stopped&) {
    }
    fflush(stdout);
    if (k) dup2(heard, 1), close(heard);
    ends_[k] = {facts->complaint[0] ? facts->call : rows, facts->complaint};
    facts->complaint[0] = 0;
  }

  // The last outputs of a pipeline come when more inputs go in.  They do so in a child, so that the
  // next batch goes on where this one ended.
  template <class Then>
  void flushed(std::size_t rows, Then then) {
    const bool held = how_.kind == protocol::pipeline && how_.latency > 0;
    const bool apart = held && !waves_;
    const pid_t child = apart ? fork() : 0;
    if (child == 0) {
      if (held)
        for (std::size_t k = 0; k < copies_.size(); ++k) run(k, rows, [&] { copies_[k]->flush(); });
      then();
      if (apart) _exit(0);
    }
    int status = 0;
    if (apart && (waitpid(child, &status, 0) != child || status != 0))
      complain("cannot be clocked further");
  }

  void judge(const std::int64_t* to, std::size_t rows, std::size_t words) {
    std::size_t until = rows;
    for (const end& each : ends_) until = each.call < until ? each.call : until;
    for (std::size_t row = 0; row < until; ++row)
      for (std::size_t k = 1; k < copies_.size(); ++k)
        if (differs(to + row * words, spare_.data() + ((k - 1) * rows + row) * words, words)) {
          facts->call = row;
          return;
        }
    if (until == rows) return;
    facts->call = until;
    for (const end& each : ends_)
      if (each.call != until)
        return complain("ends otherwise as an unknown (X) turns out; one way, it %s",
                        first(until).c_str());
    complain("%s", first(until).c_str());
  }

  const std::string& first(std::size_t call) {
    for (const end& each : ends_)
      if (each.call == call) return each.complaint;
    return ends_[0].complaint;
  }

  bool differs(const std::int64_t* ours, const std::int64_t* theirs, std::size_t words) {
    if (std::memcmp(ours, theirs, words * sizeof *ours) == 0) return false;
    copies_[0]->each([&](auto& part) {
      part.explain(ours, theirs);
      ours += part.words_out();
      theirs += part.words_out();
    });
    return true;
  }

  protocol how_;
  std::vector<std::unique_ptr<one>> copies_;
  std::vector<end> ends_;
  std::vector<std::int64_t> spare_;
  bool waves_ = false;
  const int silence_ = open("/dev/null", O_WRONLY);
};

}  // namespace rtl
}  // namespace cosim
}  // namespace harness

// What the design asks of its simulator; the runtime is compiled without its own.
inline void harness_stop(const char* what, const char* file, int line, const char* more) {
  const char* name = std::strrchr(file, '/');
  name = name ? name + 1 : file;
  harness::cosim::complain("%s at %s:%d%s%s", what, name, line, *more ? ": " : "", more);
  throw harness::cosim::rtl::stopped();
}
void vl_finish(const char* file, int line, const char*) {
  harness_stop("calls $finish", file, line, "");
}
void vl_stop(const char* file, int line, const char*) {
  harness_stop("fails an assertion or calls $stop", file, line, "");
}
void vl_fatal(const char* file, int line, const char*, const char* what) {
  harness_stop("is ended by Verilator", file, line, what);
}

#endif  // HARNESS_COSIM_RTL_H
