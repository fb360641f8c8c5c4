// What cppyy binds: open a compiled group of kernels, and run one of them.
#ifndef HARNESS_DISPATCH_H
#define HARNESS_DISPATCH_H

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

namespace harness {

// The address of the table of kernels in a shared object; 0 if it cannot be opened.
inline std::uintptr_t open_table(const char* path) {
  void* object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return object ? reinterpret_cast<std::uintptr_t>(dlsym(object, "harness_table")) : 0;
}

// Why the last open_table() returned 0.
inline const char* open_error() {
  const char* why = dlerror();
  return why ? why : "no table";
}

// Run the kernel in one slot of a table on arrays given by address.
inline void run(std::uintptr_t table, std::size_t slot, std::uintptr_t a, std::uintptr_t b,
                std::uintptr_t out, std::size_t n) {
  using kernel = void (*)(const void*, const void*, void*, std::size_t);
  reinterpret_cast<const kernel*>(table)[slot](reinterpret_cast<const void*>(a),
                                               reinterpret_cast<const void*>(b),
                                               reinterpret_cast<void*>(out), n);
}

}  // namespace harness

#endif  // HARNESS_DISPATCH_H
