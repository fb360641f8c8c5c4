// hls4ml's recurrent kernels.  Parameters: of every direction weights, recurrent weights, biases,
// recurrent biases; weights are (In, Gates * State), transposed where Reuse is not 0.
#ifndef HARNESS_LAYERS_RECURRENT_H
#define HARNESS_LAYERS_RECURRENT_H

#include "../nnet_utils/nnet_recurrent.h"
#include "dense.h"

namespace harness {
namespace layers {

// The products of one matrix: by dense_latency where Reuse is 0, else by dense_resource.
template <class Weight, class Bias, class Accum, unsigned In, unsigned Out, unsigned Reuse,
          template <class, class> class Product>
struct gates_config : dense_config<Weight, Bias, Accum, In, Out, Reuse == 0 ? 1 : Reuse, Product> {
  template <class Data, class Result, class Config>
  using resource = std::conditional_t<Reuse <= In,  //
                                      nnet::DenseResource_rf_leq_nin<Data, Result, Config>,
                                      nnet::DenseResource_rf_gt_nin_rem0<Data, Result, Config>>;
  template <class Data, class Result, class Config>
  using kernel = std::conditional_t<Reuse == 0, nnet::DenseLatency<Data, Result, Config>,
                                    resource<Data, Result, Config>>;
};

template <class Table, unsigned TableSize, unsigned Size>
struct gates_activ_config : nnet::activ_config {
  static const unsigned n_in = Size;
  static const unsigned table_size = TableSize;
  using table_t = Table;
};

// Gates is 4 for an LSTM, 3 for a GRU.
template <class Weight, class RecurrentWeight, class Bias, class RecurrentBias, class Accum,
          class Table, unsigned TableSize, template <class, class, class> class Activation,
          template <class, class, class> class RecurrentActivation, unsigned Gates, unsigned In,
          unsigned State, unsigned Reuse, unsigned RecurrentReuse, bool PytorchOrder,
          template <class, class> class Product, template <class, class> class RecurrentProduct>
struct cell {
  using weight_t = Weight;
  using recurrent_weight_t = RecurrentWeight;
  using bias_t = Bias;
  using recurrent_bias_t = RecurrentBias;
  using accum_t = Accum;
  static const unsigned n_in = In;
  static const unsigned n_out = State;
  static const unsigned n_state = State;
  static const unsigned n_mult = Gates;
  static const unsigned reuse_factor = Reuse == 0 ? 1 : Reuse;
  static const bool pytorch_order = PytorchOrder;
  using mult_config1 = gates_config<Weight, Bias, Accum, In, Gates * State, Reuse, Product>;
  using mult_config2 = gates_config<RecurrentWeight, RecurrentBias, Accum, State, Gates * State,
                                    RecurrentReuse, RecurrentProduct>;
  using ACT_CONFIG_LSTM = gates_activ_config<Table, TableSize, (Gates - 1) * State>;
  using ACT_CONFIG_GRU = ACT_CONFIG_LSTM;
  using ACT_CONFIG_T = gates_activ_config<Table, TableSize, State>;
  template <class Data, class Result, class Config>
  using activation = Activation<Data, Result, Config>;
  template <class Data, class Result, class Config>
  using activation_recr = RecurrentActivation<Data, Result, Config>;
};

template <class Cell, unsigned Length, unsigned LengthOut, bool Static>
struct stack_config : Cell {
  static const unsigned n_sequence = Length;
  static const unsigned n_sequence_out = LengthOut;
  static const bool use_static = Static;
};

template <class Cell, bool Static, class Data, class Result, bool Backward>
using direction = std::conditional_t<
    Cell::n_mult == 4,
    std::conditional_t<Static, nnet::lstm_class_static<Data, Result, Cell, Backward>,
                       nnet::lstm_class<Data, Result, Cell, Backward>>,
    std::conditional_t<Static, nnet::gru_class_static<Data, Result, Cell, Backward>,
                       nnet::gru_class<Data, Result, Cell, Backward>>>;

template <class Forward, class Backward, unsigned Length, unsigned LengthOut, bool Static>
struct bidirectional_config {
  using FORWARD_CONFIG = Forward;
  using BACKWARD_CONFIG = Backward;
  template <class Data, class Result, typename Cell, bool Back>
  using RNNfunc_forward = direction<Cell, Static, Data, Result, Back>;
  template <class Data, class Result, typename Cell, bool Back>
  using RNNfunc_backward = direction<Cell, Static, Data, Result, Back>;
  static const unsigned n_in = Forward::n_in;
  static const unsigned n_out = Forward::n_state + Backward::n_state;
  static const unsigned n_sequence = Length;
  static const unsigned n_sequence_out = LengthOut;
  static const bool use_static = Static;
};

template <class Cell>
struct cell_parameters {
  static constexpr unsigned outputs = Cell::n_mult * Cell::n_state;
  std::vector<typename Cell::weight_t> w;
  std::vector<typename Cell::recurrent_weight_t> wr;
  std::vector<typename Cell::bias_t> b;
  std::vector<typename Cell::recurrent_bias_t> br;

  explicit cell_parameters(reader& words)
      : w(words.next<typename Cell::weight_t>(Cell::n_in * outputs)),
        wr(words.next<typename Cell::recurrent_weight_t>(Cell::n_state * outputs)),
        b(words.next<typename Cell::bias_t>(outputs)),
        br(words.next<typename Cell::recurrent_bias_t>(outputs)) {}
};

template <class Data, class Result, class Cell, unsigned Length, unsigned LengthOut, bool Static>
void recurrent(const void* a, const void* b, void* out, std::size_t n) {
  using config = stack_config<Cell, Length, LengthOut, Static>;
  reader words(b);
  cell_parameters<Cell> p(words);
  constexpr unsigned inputs = Length * Cell::n_in, outputs = LengthOut * Cell::n_state;
  each_row<Data, Result>(a, out, n, inputs, outputs, [&](Data* data, Result* result) {
    if constexpr (Cell::n_mult == 4)
      nnet::lstm_stack<Data, Result, config>(data, result, p.w.data(), p.wr.data(), p.b.data(),
                                             p.br.data());
    else
      nnet::gru_stack<Data, Result, config>(data, result, p.w.data(), p.wr.data(), p.b.data(),
                                            p.br.data());
  });
}

// The states follow the sequence; an LSTM has two, h and s.
template <class Data, class Result, class Cell, unsigned Length, unsigned LengthOut>
void recurrent_from(const void* a, const void* b, void* out, std::size_t n) {
  using config = stack_config<Cell, Length, LengthOut, false>;
  reader words(b);
  cell_parameters<Cell> p(words);
  constexpr unsigned inputs = Length * Cell::n_in, outputs = LengthOut * Cell::n_state;
  constexpr unsigned states = (Cell::n_mult - 2) * Cell::n_state;
  each_row<Data, Result, Result>(
      a, out, n, inputs, states, outputs, [&](Data* data, Result* h, Result* result) {
        if constexpr (Cell::n_mult == 4)
          nnet::lstm_stack<Data, Result, Result, Result, config>(
              data, h, h + Cell::n_state, result, p.w.data(), p.wr.data(), p.b.data(), p.br.data());
        else
          nnet::gru_stack<Data, Result, Result, config>(data, h, result, p.w.data(), p.wr.data(),
                                                        p.b.data(), p.br.data());
      });
}

template <class Data, class Result, class Forward, class Backward, unsigned Length,
          unsigned LengthOut, bool Static>
void bidirectional(const void* a, const void* b, void* out, std::size_t n) {
  using config = bidirectional_config<Forward, Backward, Length, LengthOut, Static>;
  reader words(b);
  cell_parameters<Forward> p(words);
  cell_parameters<Backward> q(words);
  each_row<Data, Result>(
      a, out, n, Length * config::n_in, LengthOut * config::n_out, [&](Data* data, Result* result) {
        nnet::bidirectional_stack<Data, Result, config>(data, result, p.w.data(), p.wr.data(),
                                                        p.b.data(), p.br.data(), q.w.data(),
                                                        q.wr.data(), q.b.data(), q.br.data());
      });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_RECURRENT_H
