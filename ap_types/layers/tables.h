// The lookup tables that hls4ml's kernels make for themselves, to be compared entry by entry.
#ifndef HARNESS_LAYERS_TABLES_H
#define HARNESS_LAYERS_TABLES_H

#include "../nnet_utils/nnet_activation.h"
#include "../nnet_utils/nnet_layernorm.h"
#include "common.h"
#include "softmax.h"

namespace harness {
namespace layers {

template <class Table>
void write_table(const std::vector<Table>& table, void* out) {
  write_all(table, static_cast<std::int64_t*>(out));
}

template <class Table>
struct table_config {
  using table_t = Table;
};

template <class Table, unsigned Size, int Mantissa, int Exponent>
struct softmax_table_config {
  using exp_table_t = Table;
  using inv_table_t = Table;
  static const unsigned exp_table_size = Size;
  static const unsigned inv_table_size = Size;
  static constexpr float exp_scale = power_scaled(Mantissa, Exponent);
};

template <class Table, unsigned EpsilonPower, unsigned RangePower>
struct layernorm_table_config {
  using table_t = Table;
  static const unsigned epsilon_power_of_10 = EpsilonPower;
  static const unsigned table_range_power2 = RangePower;
};

template <class Table, unsigned Size>
void sigmoid_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_sigmoid_table<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void tanh_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_tanh_table<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void softplus_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_softplus_table<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void softsign_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_softsign_table<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void elu_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_elu_table<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void selu_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_selu_table<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void exp_legacy_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_exp_table_legacy<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size>
void invert_legacy_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_invert_table_legacy<table_config<Table>, Size>(table.data());
  write_table(table, out);
}

template <class Index, class Table, unsigned Size, int Mantissa, int Exponent, bool Negative>
void exp_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_exp_table<Index, softmax_table_config<Table, Size, Mantissa, Exponent>>(table.data(),
                                                                                     Negative);
  write_table(table, out);
}

template <class Index, class Table, unsigned Size>
void invert_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_invert_table<Index, softmax_table_config<Table, Size, 1, 0>>(table.data());
  write_table(table, out);
}

template <class Table, unsigned Size, unsigned EpsilonPower, unsigned RangePower>
void invert_sqr_table(const void*, const void*, void* out, std::size_t) {
  std::vector<Table> table(Size);
  nnet::init_invert_sqr_table<layernorm_table_config<Table, EpsilonPower, RangePower>, Size>(
      table.data());
  write_table(table, out);
}

}  // namespace layers
}  // namespace harness

#endif  // HARNESS_LAYERS_TABLES_H
