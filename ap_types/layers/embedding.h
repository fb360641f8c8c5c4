// hls4ml's embedding.  Parameters: the table.
#ifndef HARNESS_LAYERS_EMBEDDING_H
#define HARNESS_LAYERS_EMBEDDING_H

#include "../nnet_utils/nnet_embed.h"
#include "common.h"

namespace harness {
namespace layers {

template <class Table, unsigned In, unsigned Out, unsigned Vocabulary>
struct embedding_config : nnet::embed_config {
  using embeddings_t = Table;
  static const unsigned n_in = In;
  static const unsigned n_out = Out;
  static const unsigned vocab_size = Vocabulary;
};

template <class Data, class Table, class Result, unsigned In, unsigned Out, unsigned Vocabulary>
void embedding(const void* a, const void* b, void* out, std::size_t n) {
  using config = embedding_config<Table, In, Out, Vocabulary>;
  auto table = reader(b).next<Table>(Vocabulary * Out);
  each_row<Data, Result>(a, out, n, In, In * Out, [&](Data* data, Result* result) {
    nnet::embedding<Data, Result, config>(data, result, table.data());
  });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_EMBEDDING_H
