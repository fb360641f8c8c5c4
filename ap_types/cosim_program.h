// The program around a user's function: it answers batches of calls, and says where it died.
//
// Its arguments are two descriptors: of memory shared with Python, a page of facts (struct page)
// and then the rows; and of a pipe for answers.  A byte on standard input asks: 'r' runs the rows,
// 'c' prints counts,
// 'z' begins again as new.  The same byte through the pipe tells that it is done.  A function may
// end the process: the page then has the call that it was in and the addresses of the stack, which
// Python turns into lines of the source.
#ifndef HARNESS_COSIM_PROGRAM_H
#define HARNESS_COSIM_PROGRAM_H

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace harness {
namespace cosim {

constexpr std::size_t page_size = 4096;

struct page {
  std::uint64_t size;            // of the shared memory, in bytes
  std::uint64_t rows;            // calls to make
  std::uint64_t in, out;         // where their rows begin, in bytes
  std::uint64_t microseconds;    // that all of them may take
  std::uint64_t call;            // the one that runs, from 0
  std::uint64_t running;         // whether one does
  std::uint64_t fresh;           // whether the process is to begin anew
  std::uint64_t left;            // 1 + the status with which the function called exit()
  std::uint64_t depth;           // how many of `stack` there are
  std::uint64_t stack[64];       // return addresses, the innermost first
  std::uint64_t capacities[64];  // of streams, by argument
  char complaint[1024];          // what is wrong with the call, if the function came back
};
static_assert(sizeof(page) <= page_size, "a page holds them all");

inline page* facts = nullptr;
inline int memory_descriptor, answer_descriptor;

// Prints what was counted since the last time, if something counts; see counting/counted.h.
inline void (*print_counts)() = nullptr;

// Note what is wrong with the call that runs, if nothing is noted yet.
__attribute__((format(printf, 1, 2))) inline void complain(const char* text, ...) {
  if (facts->complaint[0]) return;
  va_list rest;
  va_start(rest, text);
  vsnprintf(facts->complaint, sizeof facts->complaint, text, rest);
  va_end(rest);
}

// `fault` is the instruction that a signal was raised by, if one was: all others are returned to,
// and so stand one behind the call.
inline void note_stack(void* fault = nullptr) {
  void* frames[64];
  const int depth = backtrace(frames, 64);
  for (int k = 0; k < depth; ++k)
    if (frames[k] == fault) frames[k] = static_cast<char*>(fault) + 1;
  for (int k = 0; k < depth; ++k) facts->stack[k] = reinterpret_cast<std::uint64_t>(frames[k]);
  facts->depth = depth;
}

inline void* fault_of(void* context) {
  const auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return reinterpret_cast<void*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(machine.pc);
#else
  return nullptr;
#endif
}

inline void on_signal(int number, siginfo_t*, void* context) {
  signal(number, SIG_DFL);
  if (facts->running) note_stack(fault_of(context));
  raise(number);
}

inline void on_leaving(int status, void*) {
  if (!facts->running) return;
  facts->left = 1 + status;
  note_stack();
}

inline void watch() {
  void* first[1];
  backtrace(first, 1);  // loads what it needs while that is safe
  on_exit(on_leaving, nullptr);
#ifndef __SANITIZE_ADDRESS__
  static char stack[1 << 16];  // the function's own may be used up
  stack_t apart = {};
  apart.ss_sp = stack;
  apart.ss_size = sizeof stack;
  sigaltstack(&apart, nullptr);
  const int deadly[] = {SIGFPE, SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGALRM};
#else
  const int deadly[] = {SIGABRT, SIGALRM};
#endif
  for (int number : deadly) {
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_ONSTACK | SA_SIGINFO;
    sigaction(number, &action, nullptr);
  }
}

inline void limit(std::uint64_t microseconds) {
  itimerval time = {};
  time.it_value.tv_sec = microseconds / 1000000;
  time.it_value.tv_usec = microseconds % 1000000;
  setitimer(ITIMER_REAL, &time, nullptr);
}

inline char* shared_memory(char* at, std::size_t had, std::size_t size) {
  if (at) munmap(at, had);
  void* found = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_descriptor, 0);
  if (found == MAP_FAILED) _exit(70);
  facts = static_cast<page*>(found);
  return static_cast<char*>(found);
}

// One call: a row of words in, a row of words out.
using row = void (*)(const std::int64_t*& from, std::int64_t*& to);

// Answer until there are no more questions, or until the process is to begin anew.
inline int serve(row run) {
  std::size_t size = page_size;
  char* memory = shared_memory(nullptr, 0, size);
  watch();
  char what;
  while (read(0, &what, 1) == 1) {
    if (what == 'c') {
      if (print_counts) print_counts();
      fflush(nullptr);
      if (write(answer_descriptor, &what, 1) != 1) break;
      continue;
    }
    if (what == 'z') {
      facts->fresh = 1;
      _exit(0);
    }
    if (facts->size != size) {
      const std::size_t wanted = facts->size;
      memory = shared_memory(memory, size, wanted);
      size = wanted;
    }
    auto from = reinterpret_cast<const std::int64_t*>(memory + facts->in);
    auto to = reinterpret_cast<std::int64_t*>(memory + facts->out);
    limit(facts->microseconds);
    facts->running = 1;
    for (facts->call = 0; facts->call < facts->rows; ++facts->call) {
      run(from, to);
      if (facts->complaint[0]) break;
    }
    facts->running = 0;
    limit(0);
    fflush(nullptr);
    if (write(answer_descriptor, &what, 1) != 1) break;
  }
  return 0;
}

// Serve in a child, so that one whose statics are new is a fork away.
inline int program(row run, int count, char** arguments) {
  if (count != 3) return 64;
  memory_descriptor = atoi(arguments[1]);
  answer_descriptor = atoi(arguments[2]);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  shared_memory(nullptr, 0, page_size);
  for (;;) {
    const pid_t child = fork();
    if (child == 0) return serve(run);
    int status = 0;
    waitpid(child, &status, 0);
    if (facts->fresh && WIFEXITED(status)) {
      facts->fresh = 0;
      if (write(answer_descriptor, "z", 1) != 1) return 0;
      continue;
    }
    if (WIFSIGNALED(status)) {
      signal(WTERMSIG(status), SIG_DFL);
      raise(WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
  }
}

}  // namespace cosim
}  // namespace harness

#endif  // HARNESS_COSIM_PROGRAM_H
