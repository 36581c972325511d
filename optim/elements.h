// What an update rule works on. For .cpp files only: it includes SIMD headers.
#pragma once

#include <xgrad/core/simd.h>
#include <xgrad/optim/rule.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace xgrad::optim {

/// One parameter, or a part of it, with its gradient and its state.
struct Elements {
  /// Calls formula(theta, g, state…) for each register of elements, with the first `slots` state tensors (zeros for a
  /// slot that is not in use). g is the gradient after `maximize` and coupled weight decay; decoupled weight decay has
  /// been applied to theta. The compiler fuses the formula into one loop that reads and writes each number once.
  template <std::size_t slots, class F>
  void for_each(F formula) const {
    walk<slots, true>(
        [&formula](auto&... all) {
          formula(all...);
          return 0;
        },
        [](int, std::size_t) {});
  }

  /// The same for what sum() does: theta is as update() will see it, and does not change. The formula returns an array
  /// of registers, which are added up in double.
  template <std::size_t slots, class F>
  void add_each(Sums& into, F formula) const {
    walk<slots, false>(formula, [&into](const auto& terms, std::size_t count) {
      for (std::size_t k = 0; k < terms.size(); ++k) {
        Scalar lanes[register_size];
        store(terms[k], lanes);
        for (std::size_t i = 0; i < count; ++i) into[k] += double(lanes[i]);
      }
    });
  }

  /// Calls f(row) for each index of the first axis: that part of the elements, with its number in shared state.
  template <class F>
  void for_each_row(F f) const {
    for (std::size_t begin = 0; begin < size; begin += width) f(part(begin, begin + width));
  }
  /// Of the gradient that for_each gives. NaN where one is in it.
  Scalar mean_square_gradient() const {
    double sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += double(gradient_at(i)) * double(gradient_at(i));
    return static_cast<Scalar>(sum / static_cast<double>(size));
  }
  /// Its largest magnitude; NaN where one is in it.
  Scalar largest_gradient() const {
    Scalar largest = 0;
    for (std::size_t i = 0; i < size; ++i)
      if (const Scalar now = std::abs(gradient_at(i)); now > largest || std::isnan(now)) largest = now;
    return largest;
  }
  /// One element of it.
  Scalar gradient_at(std::size_t i) const {
    return (maximize ? -gradient[i] : gradient[i]) + weight_decay * (shrink * theta[i]);
  }
  /// Elements [begin, end), which are whole rows where state is shared by rows.
  Elements part(std::size_t begin, std::size_t end) const {
    Elements result = *this;
    result.size = end - begin;
    result.theta += begin;
    result.gradient += begin;
    for (std::size_t slot = 0; slot < max_slots; ++slot)
      if (state[slot]) result.state[slot] += shape_of[slot] == per_row ? begin / width : begin;
    return result;
  }

  const Rule* rule = nullptr;
  std::size_t parameter = 0;        // its number in the optimizer
  std::size_t size = 0, width = 1;  ///< elements, and those of one index of the first axis
  const Shape* shape = nullptr;     ///< of the whole parameter
  double t = 0;                     ///< the steps of this parameter, this one included: 1, 2, …
  Numbers* numbers = nullptr;       ///< the rule's, this step included
  Sums sums = {};                   ///< what sum() has added up
  Scalar* theta = nullptr;
  Scalar* gradient = nullptr;
  std::array<Scalar*, max_slots> state = {};  // null where a slot is not in use
  std::array<ShapeOf, max_slots> shape_of = {};
  std::size_t unit = 1;     // so many elements must not be cut apart: those of a row that shares state, or all
  Scalar weight_decay = 0;  // times theta is added to the gradient
  Scalar shrink = 1;        // theta is multiplied by it
  bool maximize = false;
  SparseRows left_out = SparseRows::dense;  // otherwise it is one of rows: theta and gradient are not set

 private:
  // Calls done(formula(theta, g, state…), how many elements) for each register. What the loop needs is copied first: a
  // compiler has to take any number that is stored for one of this struct's.
  template <std::size_t slots, bool moves, class F, class Done>
  void walk(F formula, Done done) const {
    constexpr auto all = std::make_index_sequence<slots>();
    const Elements now = *this;
    const std::size_t whole = size - size % register_size, left = size - whole;
    const auto at = [&now, &formula, all](Scalar* to, const Scalar* from, const std::array<Scalar*, max_slots>& slot,
                                          std::size_t begin) {
      return now.apply<moves>(formula, to, from, slot, begin, all);
    };
    for (std::size_t i = 0; i < whole; i += register_size)
      done(at(now.theta + i, now.gradient + i, now.state, i), register_size);
    if (left == 0) return;
    Scalar last_theta[register_size] = {}, last_gradient[register_size] = {}, last_state[max_slots][register_size] = {};
    std::array<Scalar*, max_slots> last = {};
    std::copy_n(theta + whole, left, last_theta);
    std::copy_n(gradient + whole, left, last_gradient);
    for (std::size_t slot = 0; slot < slots; ++slot)
      if (state[slot]) last[slot] = std::copy_n(state[slot] + whole, left, last_state[slot]) - left;
    done(at(last_theta, last_gradient, last, 0), left);
    if (moves) std::copy_n(last_theta, left, theta + whole);
    for (std::size_t slot = 0; slot < slots; ++slot)
      if (state[slot]) std::copy_n(last_state[slot], left, state[slot] + whole);
  }

  template <bool moves, class F, std::size_t... i>
  auto apply(F& formula, Scalar* to, const Scalar* from, const std::array<Scalar*, max_slots>& slots, std::size_t begin,
             std::index_sequence<i...>) const {
    Register values = load(to), g = load(from);
    std::array<Register, sizeof...(i)> slot = {(slots[i] ? load(slots[i] + begin) : Register(0))...};
    if (shrink != 1) values *= shrink;
    if (maximize) g = -g;
    if (weight_decay != 0) g += weight_decay * values;
    const auto result = formula(values, g, slot[i]...);
    if (moves) store(values, to);
    ((slots[i] ? store(slot[i], slots[i] + begin) : void()), ...);
    return result;
  }
};

}  // namespace xgrad::optim
