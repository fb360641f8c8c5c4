// hls4ml's einsum of two inputs, and of an input and weights.  Parameters: weights, biases.
#ifndef HARNESS_LAYERS_EINSUM_H
#define HARNESS_LAYERS_EINSUM_H

#include "../nnet_utils/nnet_einsum.h"
#include "../nnet_utils/nnet_einsum_dense.h"
#include "dense.h"
#include "shape.h"

namespace harness {
namespace layers {

// Free1 and Free2 are the sizes that only one operand has, Inplace those that both and the output
// have.
template <class Accum, unsigned Inplace, unsigned Free1, unsigned Free2, unsigned Contract,
          class Permutation1, class Permutation2, class PermutationOut,
          template <class, class> class Product>
struct einsum_config {
  using accum_t = Accum;
  using tpose_inp0_config = Permutation1;
  using tpose_inp1_config = Permutation2;
  using tpose_out_conf = PermutationOut;
  static const unsigned n_free0 = Free1;
  static const unsigned n_free1 = Free2;
  static const unsigned n_contract = Contract;
  static const unsigned n_inplace = Inplace;
  static const unsigned reuse_factor = 1;
  static const unsigned multiplier_limit = Inplace * Free1 * Free2 * Contract;
  template <class X, class Y>
  using product = Product<X, Y>;
};

template <class Data1, class Data2, class Accum, class Result, unsigned Inplace, unsigned Free1,
          unsigned Free2, unsigned Contract, class Permutation1, class Permutation2,
          class PermutationOut, template <class, class> class Product>
void einsum(const void* a, const void*, void* out, std::size_t n) {
  using config = einsum_config<Accum, Inplace, Free1, Free2, Contract, Permutation1, Permutation2,
                               PermutationOut, Product>;
  each_row<Data1, Data2, Result>(a, out, n, Permutation1::N, Permutation2::N, PermutationOut::N,
                                 [](Data1* x, Data2* y, Result* result) {
                                   nnet::einsum<Data1, Data2, Result, config>(x, y, result);
                                 });
}

// The only dense kernel that hls4ml gives an einsum.
template <class Weight, class Bias, class Accum, unsigned In, unsigned Out,
          template <class, class> class Product>
struct inner_dense_config : dense_config<Weight, Bias, Accum, In, Out, 1, Product> {
  template <class Data, class Result, class Config>
  using kernel = nnet::DenseLatency<Data, Result, Config>;
};

template <class Dense, unsigned Inplace, unsigned Free, class Permutation, class PermutationOut>
struct einsum_dense_config : nnet::einsum_dense_config {
  using dense_conf = Dense;
  using tpose_inp_conf = Permutation;
  using tpose_out_conf = PermutationOut;
  using accum_t = typename Dense::accum_t;
  using bias_t = typename Dense::bias_t;
  static const unsigned n_free_data = Free;
  static const unsigned n_free_kernel = Dense::n_out;
  static const unsigned n_contract = Dense::n_in;
  static const unsigned n_inplace = Inplace;
};

// Weights are (Inplace, Contract, FreeKernel), biases (Inplace, Free, FreeKernel).
template <class Data, class Weight, class Bias, class Accum, class Result, unsigned Inplace,
          unsigned Free, unsigned FreeKernel, unsigned Contract, class Permutation,
          class PermutationOut, template <class, class> class Product>
void einsum_dense(const void* a, const void* b, void* out, std::size_t n) {
  using dense = inner_dense_config<Weight, Bias, Accum, Contract, FreeKernel, Product>;
  using config = einsum_dense_config<dense, Inplace, Free, Permutation, PermutationOut>;
  reader parameters(b);
  auto weights = parameters.next<Weight>(Inplace * Contract * FreeKernel);
  auto biases = parameters.next<Bias>(PermutationOut::N);
  each_row<Data, Result>(
      a, out, n, Permutation::N, PermutationOut::N, [&](Data* data, Result* result) {
        nnet::einsum_dense<Data, Result, config>(data, result, weights.data(), biases.data());
      });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_EINSUM_H
