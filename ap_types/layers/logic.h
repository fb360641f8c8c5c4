// Generated logic: a type for each element, and the straight-line programs that da4ml writes.
//
// A program is a type: `program<inputs, lets<let<T, X>...>, outs<X...>>`.  Each term X computes
// from the inputs and the values of the lets before it, with the expression that it stands for.
#ifndef HARNESS_LAYERS_LOGIC_H
#define HARNESS_LAYERS_LOGIC_H

#include <tuple>

#include "../nnet_utils/nnet_da_wrappers.h"
#include "../nnet_utils/nnet_einsum_dense.h"
#include "../nnet_utils/nnet_function_stubs.h"
#include "shape.h"
#include "windows.h"

namespace harness {
namespace terms {

template <std::size_t Place>
struct input {
  template <class Data, class Values>
  static auto of(const Data* data, const Values&) {
    return data[Place];
  }
};

template <std::size_t Place>
struct value {
  template <class Data, class Values>
  static auto of(const Data*, const Values& values) {
    return std::get<Place>(values);
  }
};

template <int Value>
struct integer {
  template <class Data, class Values>
  static int of(const Data*, const Values&) {
    return Value;
  }
};

// Mantissa * 2^Exponent.
template <long long Mantissa, int Exponent>
struct real {
  template <class Data, class Values>
  static double of(const Data*, const Values&) {
    return std::ldexp(static_cast<double>(Mantissa), Exponent);
  }
};

template <class T, class X>
struct cast {
  template <class Data, class Values>
  static T of(const Data* data, const Values& values) {
    return T(X::of(data, values));
  }
};

template <int Count, class X>
struct shifted {
  template <class Data, class Values>
  static auto of(const Data* data, const Values& values) {
    return nnet::bit_shift<Count>(X::of(data, values));
  }
};

template <std::size_t Place, class X>
struct bit {
  template <class Data, class Values>
  static bool of(const Data* data, const Values& values) {
    auto x = X::of(data, values);
    return x[Place];
  }
};

template <class T, class X, long long... Codes>
struct entry {
  template <class Data, class Values>
  static T of(const Data* data, const Values& values) {
    static const std::vector<T> table = filled();
    auto x = X::of(data, values);
    return table[x.range()];
  }
  static std::vector<T> filled() {
    const std::int64_t codes[] = {Codes...};
    return layers::reader(codes).next<T>(sizeof...(Codes));
  }
};

template <class Condition, class Yes, class No>
struct chosen {
  template <class Data, class Values>
  static auto of(const Data* data, const Values& values) {
    return Condition::of(data, values) ? Yes::of(data, values) : No::of(data, values);
  }
};

#define HARNESS_UNARY(name, symbol)                          \
  template <class X>                                         \
  struct name {                                              \
    template <class Data, class Values>                      \
    static auto of(const Data* data, const Values& values) { \
      return symbol X::of(data, values);                     \
    }                                                        \
  };
HARNESS_UNARY(negated, -)
HARNESS_UNARY(inverted, ~)
#undef HARNESS_UNARY

#define HARNESS_BINARY(name, symbol)                         \
  template <class X, class Y>                                \
  struct name {                                              \
    template <class Data, class Values>                      \
    static auto of(const Data* data, const Values& values) { \
      return X::of(data, values) symbol Y::of(data, values); \
    }                                                        \
  };
HARNESS_BINARY(sum, +)
HARNESS_BINARY(difference, -)
HARNESS_BINARY(product, *)
HARNESS_BINARY(both, &)
HARNESS_BINARY(either, |)
HARNESS_BINARY(one, ^)
HARNESS_BINARY(below, <)
HARNESS_BINARY(up_to, <=)
HARNESS_BINARY(above, >)
HARNESS_BINARY(from, >=)
HARNESS_BINARY(equal, ==)
HARNESS_BINARY(unequal, !=)
#undef HARNESS_BINARY

// T name = X;
template <class T, class X>
struct let {
  using type = T;
  using term = X;
};
template <class... Lets>
struct lets {};
template <class... Terms>
struct outs {};

template <std::size_t Inputs, class Lets, class Outs>
struct program;

template <std::size_t Inputs, class... Lets, class... Outs>
struct program<Inputs, lets<Lets...>, outs<Outs...>> {
  static const unsigned in = Inputs;
  static const unsigned out = sizeof...(Outs);

  // What the generated function is: `void dense_da_N(inp_t model_inp[in], out_t model_out[out])`.
  template <class Data, class Result>
  static void run(Data* data, Result* result) {
    std::tuple<typename Lets::type...> values;
    assign<Lets...>(data, values, std::index_sequence_for<Lets...>());
    ((*result++ = Outs::of(data, values)), ...);
  }

 private:
  template <class... Each, class Data, class Values, std::size_t... Places>
  static void assign(const Data* data, Values& values, std::index_sequence<Places...>) {
    ((std::get<Places>(values) = initial<Each>(data, values)), ...);
  }
  template <class Let, class Data, class Values>
  static typename Let::type initial(const Data* data, const Values& values) {
    typename Let::type value = Let::term::of(data, values);
    return value;
  }
};

}  // namespace terms

namespace layers {

// The type of an element that has none.
struct no_bits {};

template <class Element, class Data, class Result>
void element(const Data& from, Result& to) {
  if constexpr (std::is_same_v<Element, no_bits>)
    to = 0;
  else
    to = Element(from);
}

template <class Data, class Result, class... Elements>
void element_cast(const void* a, const void*, void* out, std::size_t n) {
  constexpr std::size_t size = sizeof...(Elements);
  each_row<Data, Result>(a, out, n, size, size, [](const Data* data, Result* result) {
    (element<Elements>(*data++, *result++), ...);
  });
}

template <class Data, class Result, class Program>
void logic(const void* a, const void*, void* out, std::size_t n) {
  each_row<Data, Result>(a, out, n, Program::in, Program::out, Program::template run<Data, Result>);
}

// What hls4ml writes for a convolution of distributed arithmetic.
template <class Data, class Result, class Program, unsigned Partitions, unsigned Channels,
          unsigned Filters, class Rows, class Columns>
struct logic_conv_config {
  using rows = Rows;
  using columns = Columns;
  static const unsigned in_height = Rows::in;
  static const unsigned in_width = Columns::in;
  static const unsigned n_chan = Channels;
  static const unsigned out_height = Rows::out;
  static const unsigned out_width = Columns::out;
  static const unsigned n_filt = Filters;
  static const unsigned filt_height = Rows::window;
  static const unsigned filt_width = Columns::window;
  static const unsigned strategy = nnet::distributed_arithmetic;
  static const unsigned n_partitions = Partitions;
  static const unsigned n_pixels = out_height * out_width / n_partitions;
  constexpr static auto dense_da = Program::template run<Data, Result>;
  template <class D, class Config>
  using fill_buffer = fill_windows<D, Config>;
};

template <class Data, class Result, class Program, unsigned Partitions, unsigned Channels,
          unsigned Filters, class Rows, class Columns>
void logic_conv(const void* a, const void*, void* out, std::size_t n) {
  using config =
      logic_conv_config<Data, Result, Program, Partitions, Channels, Filters, Rows, Columns>;
  each_row<Data, Result>(a, out, n, Rows::in * Columns::in * Channels,
                         Rows::out * Columns::out * Filters, [](Data* data, Result* result) {
                           if constexpr (std::is_same_v<Rows, no_axis>)
                             nnet::conv1d_cl<config, Data, Result>(data, result);
                           else
                             nnet::conv2d_cl<config, Data, Result>(data, result);
                         });
}

// What hls4ml writes for an einsum of distributed arithmetic: Places is the size of the input's own
// axes, and there is a program for each place along the shared ones.
template <class Data, class Bias, class Accum, unsigned Places, class Permutation,
          class PermutationOut, class First, class... Programs>
struct logic_einsum_dense_config {
  using tpose_inp_conf = Permutation;
  using tpose_out_conf = PermutationOut;
  using accum_t = Accum;
  using bias_t = Bias;
  static const unsigned n_free_data = Places;
  static const unsigned n_free_kernel = First::out;
  static const unsigned n_contract = First::in;
  static const unsigned n_inplace = 1 + sizeof...(Programs);
  static const unsigned strategy = nnet::distributed_arithmetic;
  static const unsigned parallelization_factor = 1;

  static void da_kernel(Data* data, Accum* result, int place) {
    unsigned i = 0;
    (one_program<First>(data, result, place, i++), ...,
     one_program<Programs>(data, result, place, i++));
  }
  template <class Program>
  static void one_program(Data* data, Accum* result, int place, unsigned i) {
    const unsigned at = i * Places + place;
    Program::template run<Data, Accum>(data + at * n_contract, result + at * n_free_kernel);
  }
};

// Biases are (programs, Places, outputs).
template <class Data, class Bias, class Accum, class Result, unsigned Places, class Permutation,
          class PermutationOut, class... Programs>
void logic_einsum_dense(const void* a, const void* b, void* out, std::size_t n) {
  using config = logic_einsum_dense_config<Data, Bias, Accum, Places, Permutation, PermutationOut,
                                           Programs...>;
  reader parameters(b);
  auto biases = parameters.next<Bias>(PermutationOut::N);
  each_row<Data, Result>(a, out, n, Permutation::N, PermutationOut::N,
                         [&](Data* data, Result* result) {
                           nnet::einsum_dense<Data, Result, config>(data, result, biases.data());
                         });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_LOGIC_H
