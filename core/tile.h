// The innermost loop of products and convolutions: a tile of registers that stay in place while a sum runs over k.
#pragma once

#include <xgrad/core/simd.h>

#include <array>
#include <utility>

namespace xgrad {

// With 32 registers a tile has up to 24 of them, with 16 up to 12.
constexpr bool many_registers = sizeof(Register) == 64;
constexpr std::size_t tile_registers = many_registers ? 24 : 12;

inline std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// [0, count) in pieces of almost equal size, at most `most`: body(begin, size).
template <class Body>
void for_pieces(std::size_t count, std::size_t most, Body body) {
  const std::size_t pieces = divide_up(count, most);
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t begin = count * i / pieces;
    body(begin, count * (i + 1) / pieces - begin);
  }
}

/// body(0), …, body(count - 1), each of them inlined: in a loop that compilers leave one, registers live in memory. So
/// they do where a body stays a function of its own, and so each says that it is always inlined.
template <std::size_t count, class Body>
void unrolled(Body body) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (body(I), ...); }
  (std::make_index_sequence<count>());
}

template <template <std::size_t, std::size_t> class Kernel, std::size_t columns, std::size_t... I>
constexpr auto kernel_table(std::index_sequence<I...>) {
  // A kernel with more sums than registers is never asked for: the largest of its row stands in its place.
  constexpr auto most = [](std::size_t m) { return std::min(columns, tile_registers / m); };
  return std::array{&Kernel<I / columns + 1, std::min(I % columns + 1, most(I / columns + 1))>::run...};
}
/// Kernel<m, p>::run, for m from 1 to `rows` and p from 1 to `columns`, where m p is at most tile_registers.
template <template <std::size_t, std::size_t> class Kernel, std::size_t rows, std::size_t columns>
auto kernel(std::size_t m, std::size_t p) {
  static constexpr auto table = kernel_table<Kernel, columns>(std::make_index_sequence<rows * columns>());
  return table[(m - 1) * columns + p - 1];
}

/// out[m][p] = start[m] + sum over k of a[m][k] in[k][p]. A number a[m][k] is at a + m a_m + k a_k, a register in[k][p]
/// at in + in_offsets[k] + p in_step, and one of out at out + out_offsets[m] + p out_step. Without a start the sum is
/// added to out, where the registers of different m may be the same. Where the rows of `in` are far apart, `ahead` asks
/// for what follows in each of them: processors foresee what is next in one row, not in dozens.
struct TileArguments {
  const Scalar* a;
  std::size_t a_m, a_k, inner;
  const Scalar* in;
  const std::size_t* in_offsets;
  std::size_t in_step;
  Scalar* out;
  const std::size_t* out_offsets;
  std::size_t out_step;
  const Scalar* start;
  bool ahead = false;
};

template <std::size_t M, std::size_t P>
struct Tile {
  static void run(const TileArguments& t) {
    Register sum[M][P];
    unrolled<M * P>([&](std::size_t i) __attribute__((always_inline)) {
      sum[i / P][i % P] = Register(t.start ? t.start[i / P] : Scalar(0));
    });
    const Scalar* a = t.a;
    for (std::size_t k = 0; k < t.inner; ++k, a += t.a_k) {
      const Scalar* in = t.in + t.in_offsets[k];
      if (t.ahead)
        for (std::size_t i = 0; i < P * register_size; i += 16) __builtin_prefetch(in + P * register_size + i);
      Register x[P];
      unrolled<P>([&](std::size_t p) __attribute__((always_inline)) { x[p] = load(in + p * t.in_step); });
      unrolled<M>([&](std::size_t m) __attribute__((always_inline)) {
        const Register factor(a[m * t.a_m]);
        unrolled<P>([&](std::size_t p) __attribute__((always_inline)) { sum[m][p] = fma(factor, x[p], sum[m][p]); });
      });
    }
    unrolled<M * P>([&](std::size_t i) __attribute__((always_inline)) {
      Scalar* out = t.out + t.out_offsets[i / P] + i % P * t.out_step;
      store(t.start ? sum[i / P][i % P] : load(out) + sum[i / P][i % P], out);
    });
  }
};

// out[m][p] += sum over rows and columns of a[m] in[p], lane by lane.
struct DotArguments {
  const Scalar* a;
  std::size_t a_step, a_row;
  const Scalar* in;
  const std::size_t* in_offsets;
  std::size_t in_row, in_step;
  std::size_t rows, columns;
  Scalar* out;
  std::size_t out_step;
};

template <std::size_t M, std::size_t P>
struct Dot {
  static void run(const DotArguments& t) {
    Register sum[M][P];
    unrolled<M * P>([&](std::size_t i) __attribute__((always_inline)) {
      sum[i / P][i % P] = load(t.out + i / P * t.out_step + i % P * register_size);
    });
    for (std::size_t row = 0; row < t.rows; ++row) {
      const Scalar *a = t.a + row * t.a_row, *in[P];
      unrolled<P>([&](std::size_t p)
                      __attribute__((always_inline)) { in[p] = t.in + row * t.in_row + t.in_offsets[p]; });
      for (std::size_t column = 0; column < t.columns; ++column, a += register_size) {
        Register x[P];
        unrolled<P>([&](std::size_t p) __attribute__((always_inline)) { x[p] = load(in[p] + column * t.in_step); });
        unrolled<M>([&](std::size_t m) __attribute__((always_inline)) {
          const Register y = load(a + m * t.a_step);
          unrolled<P>([&](std::size_t p) __attribute__((always_inline)) { sum[m][p] = fma(y, x[p], sum[m][p]); });
        });
      }
    }
    unrolled<M * P>([&](std::size_t i) __attribute__((always_inline)) {
      store(sum[i / P][i % P], t.out + i / P * t.out_step + i % P * register_size);
    });
  }
};

}  // namespace xgrad
