// hls4ml's GarNet.  Parameters: of each sublayer the weights and biases of the contracted input
// transform, those of the distances, and the biases of the output.
#ifndef HARNESS_LAYERS_GARNET_H
#define HARNESS_LAYERS_GARNET_H

#include <tuple>

#include "../nnet_utils/nnet_garnet.h"
#include "common.h"

namespace harness {
namespace layers {

// What all sublayers have in common.
template <class Distance, unsigned DistanceWidth, class Edge, class EdgeSum, class Sum, class Norm,
          class Result, unsigned VerticesWidth, unsigned Vertices, unsigned Reuse,
          unsigned LogReuse, bool Collapse, bool ByCount, bool Stack>
struct garnet_base : nnet::garnet_config {
  using base_t = garnet_base;
  using distance_t = Distance;
  using edge_weight_t = Edge;
  using edge_weight_aggr_t = EdgeSum;
  using aggr_t = Sum;
  using norm_t = Norm;
  using output_t = Result;
  static const unsigned n_vertices_width = VerticesWidth;
  static const unsigned n_vertices = Vertices;
  static const unsigned distance_width = DistanceWidth;
  static const unsigned output_collapse =
      Collapse ? nnet::garnet_config::collapse_mean : nnet::garnet_config::no_collapse;
  static const bool mean_by_nvert = ByCount;
  static const bool is_stack = Stack;
  static const unsigned reuse_factor = Reuse;
  static const unsigned log2_reuse_factor = LogReuse;
};

// Sizes and types of one sublayer.
template <unsigned In, unsigned Aggregators, unsigned Out, class InputWeights, class InputBiases,
          class DistanceWeights, class DistanceBiases, class OutputBiases>
struct garnet_sizes {
  static const unsigned n_in = In;
  static const unsigned n_aggregators = Aggregators;
  static const unsigned n_out = Out;
  using input_weights = InputWeights;
  using input_biases = InputBiases;
  using distance_weights = DistanceWeights;
  using distance_biases = DistanceBiases;
  using output_biases = OutputBiases;
};

// A sublayer, whose parameters the kernel finds in its configuration: it is given none.  Place
// tells sublayers of the same sizes and types apart.
template <class Base, class Sizes, int Place>
struct garnet_layer : Base {
  static const unsigned n_in_features = Sizes::n_in;
  static const unsigned n_aggregators = Sizes::n_aggregators;
  static const unsigned n_out_features = Sizes::n_out;
  using input_transform_weights_t = typename Sizes::input_weights;
  using input_transform_biases_t = typename Sizes::input_biases;
  using aggregator_distance_weights_t = typename Sizes::distance_weights;
  using aggregator_distance_biases_t = typename Sizes::distance_biases;
  using output_transform_biases_t = typename Sizes::output_biases;

  static inline input_transform_weights_t
      input_transform_weights[Sizes::n_out * Sizes::n_aggregators * Sizes::n_in];
  static inline input_transform_biases_t
      input_transform_biases[Sizes::n_out * Sizes::n_aggregators];
  static inline aggregator_distance_weights_t
      aggregator_distance_weights[Sizes::n_aggregators * Sizes::n_in];
  static inline aggregator_distance_biases_t aggregator_distance_biases[Sizes::n_aggregators];
  static inline output_transform_biases_t output_transform_biases[Sizes::n_out];

  static void load(reader& from) {
    fill(from, input_transform_weights);
    fill(from, input_transform_biases);
    fill(from, aggregator_distance_weights);
    fill(from, aggregator_distance_biases);
    fill(from, output_transform_biases);
  }

 private:
  template <class T, std::size_t Size>
  static void fill(reader& from, T (&to)[Size]) {
    const auto values = from.next<T>(Size);
    for (std::size_t k = 0; k < Size; ++k) to[k] = values[k];
  }
};

template <class Base, class... Sizes>
struct garnet_stack_config : Base {
  static const unsigned n_sublayers = sizeof...(Sizes);
  static const unsigned n_in_features = std::tuple_element_t<0, std::tuple<Sizes...>>::n_in;
  static const unsigned n_out_features =
      std::tuple_element_t<n_sublayers - 1, std::tuple<Sizes...>>::n_out;

  template <int Place>
  struct sublayer_t : garnet_layer<Base, std::tuple_element_t<Place, std::tuple<Sizes...>>, Place> {
    using next_layer_t = sublayer_t<(Place + 1) % static_cast<int>(n_sublayers)>;
  };

  template <int Place = 0>
  static void load(reader& from) {
    sublayer_t<Place>::load(from);
    if constexpr (Place + 1 < static_cast<int>(n_sublayers)) load<Place + 1>(from);
  }
};

template <class Data, class Count, class Result, class Base, class Sizes>
void garnet(const void* a, const void* b, void* out, std::size_t n) {
  using config = garnet_layer<Base, Sizes, 0>;
  constexpr bool collapse = config::output_collapse == config::collapse_mean;
  reader parameters(b);
  config::load(parameters);
  each_row<Data, Count, Result>(a, out, n, config::n_vertices * config::n_in_features, 1,
                                (collapse ? 1 : config::n_vertices) * config::n_out_features,
                                [](Data* data, Count* count, Result* result) {
                                  nnet::garnet<Data, Count, Result, config>(data, count, result);
                                });
}

template <class Data, class Count, class Result, class Base, class... Sizes>
void garnet_stack(const void* a, const void* b, void* out, std::size_t n) {
  using config = garnet_stack_config<Base, Sizes...>;
  reader parameters(b);
  config::load(parameters);
  each_row<Data, Count, Result>(
      a, out, n, config::n_vertices * config::n_in_features, 1, config::n_out_features,
      [](Data* data, Count* count, Result* result) {
        nnet::garnet_stack<Data, Count, Result, config>(data, count, result);
      });
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_GARNET_H
