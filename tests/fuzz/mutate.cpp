// Changes of a state. A file's checksum keeps out what bytes changed at random would be, so the state is changed first
// and the file is made of it, as somebody would who means harm.
#include <algorithm>
#include <charconv>

#include "fuzz.h"

namespace fuzz {
namespace {

using xgrad::Scalar;
using xgrad::Shape;
using xgrad::StateDict;
using xgrad::Tensor;

enum Change : std::uint8_t { leave_out, repeat, rename, set, add, swap_names, edit, changes };

void set_value(double& value, Input& input) { value = input.number(); }
void set_value(std::string& value, Input& input) { value = input.text(); }
void set_value(Tensor& value, Input& input) {
  if (value.size() == 0) return;
  const std::size_t first = input.below(value.size()), count = input.below(value.size() - first) + 1;
  std::fill_n(value.begin() + static_cast<std::ptrdiff_t>(first), count, static_cast<Scalar>(input.number()));
}

void edit_value(double& value, Input& input) { value += input.number(); }

// In a list of numbers, one is replaced by another; in whatever else, a word.
void edit_value(std::string& value, Input& input) {
  std::vector<std::size_t> begins = {0};
  for (std::size_t i = 0; i < value.size(); ++i)
    if (value[i] == ' ') begins.push_back(i + 1);
  const std::size_t begin = begins[input.below(begins.size())], end = std::min(value.find(' ', begin), value.size());
  char digits[32];
  const double number = input.number();
  value.replace(begin, end - begin, digits,
                static_cast<std::size_t>(std::to_chars(digits, digits + 32, number).ptr - digits));
  if (input.byte() == 1) value.resize(std::min(value.size(), begin));
}

// Another shape, with zeros for elements.
void edit_value(Tensor& value, Input& input) {
  Shape shape = value.shape();
  const std::size_t axis = input.below(shape.size() + 1), size = input.below(9);
  if (axis == shape.size())
    shape.push_back(size);
  else if (size == 8)
    shape = Shape(shape.begin() + 1, shape.end());
  else
    shape[axis] = size;
  value = xgrad::zeros(shape);
}

template <class Entries>
void change(Entries& entries, Input& input) {
  const auto kind = input.byte() % changes;
  const std::size_t at = input.below(entries.size());
  if (kind == add) {
    entries.emplace_back().first = input.text();
    set_value(entries.back().second, input);
  }
  if (entries.empty()) return;
  auto& [name, value] = entries[at];
  switch (kind) {
    case leave_out:
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case repeat:
      entries.push_back(typename Entries::value_type(entries[at]));
      break;
    case rename:
      name = input.text();
      break;
    case set:
      set_value(value, input);
      break;
    case swap_names:
      std::swap(name, entries[input.below(entries.size())].first);
      break;
    case edit:
      edit_value(value, input);
      break;
    default:
      break;
  }
}

// As change() reads it.
template <class Entries>
void list_changes(std::size_t kind, const Entries& entries, std::vector<std::string>& all) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    for (std::size_t change = 0; change < changes; ++change) {
      const std::string begin = byte(kind) + byte(change) + index(i);
      if (change == set && kind == 1)
        for (std::size_t number = 0; number < special_numbers(); ++number) all.push_back(begin + byte(number));
      else if (change == edit && kind == 2)
        for (std::size_t number = 0; number < special_numbers(); ++number)
          all.push_back(begin + index(i + number) + byte(number));
      else if (change == set && kind == 0)
        for (const std::size_t number : {std::size_t{0}, std::size_t{9}, special_numbers() - 2})
          all.push_back(begin + index(0) + index(999) + byte(number));
      else if (change == swap_names)
        all.push_back(begin + index(i + 1));
      else if (change == edit && kind == 0)
        all.push_back(begin + index(0) + index(2));
      else
        all.push_back(begin + text("name"));
    }
}

}  // namespace

void mutate(StateDict& state, Input& input) {
  for (int most = 8; most > 0 && !input.empty(); --most) switch (input.byte() % 3) {
      case 0:
        change(state.tensors, input);
        break;
      case 1:
        change(state.scalars, input);
        break;
      default:
        change(state.texts, input);
    }
}

std::vector<std::string> mutations(const StateDict& state) {
  std::vector<std::string> all = {""};
  list_changes(0, state.tensors, all);
  list_changes(1, state.scalars, all);
  list_changes(2, state.texts, all);
  return all;
}

}  // namespace fuzz
