#include <xgrad/autograd/arithmetic.h>
#include <xgrad/autograd/einsum.h>
#include <xgrad/autograd/matmul.h>
#include <xgrad/autograd/reductions.h>
#include <xgrad/autograd/shapes.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <map>
#include <string>

namespace xgrad {
namespace {

using Sizes = std::map<char, std::size_t>;  // by letter

// A Variable with a letter for each dimension.
struct Term {
  std::string letters;
  Variable x;
};

bool has(std::string_view letters, char letter) { return letters.find(letter) != std::string_view::npos; }

std::string those_in(std::string_view letters, std::string_view others, bool in) {
  std::string result;
  for (const char letter : letters)
    if (has(others, letter) == in) result += letter;
  return result;
}

// The term with its dimensions in another order.
Variable ordered(const Term& term, const std::string& letters) {
  std::vector<std::ptrdiff_t> axes;
  for (const char letter : letters) axes.push_back(static_cast<std::ptrdiff_t>(term.letters.find(letter)));
  return letters == term.letters ? term.x : transpose(term.x, axes);
}

// Dimensions with the same letter become one: every (n + 1)th element of the n x n that both span.
Term diagonal(Term term) {
  for (std::size_t i = 0; i < term.letters.size(); ++i)
    while (has(std::string_view(term.letters).substr(i + 1), term.letters[i])) {
      const std::size_t other = term.letters.find(term.letters[i], i + 1), size = term.x.shape()[i];
      std::vector<std::ptrdiff_t> axes;
      Shape shape;
      for (std::size_t d = 0; d < term.letters.size(); ++d)
        if (d != i && d != other) axes.push_back(static_cast<std::ptrdiff_t>(d)), shape.push_back(term.x.shape()[d]);
      axes.push_back(static_cast<std::ptrdiff_t>(i)), axes.push_back(static_cast<std::ptrdiff_t>(other));
      shape.push_back(size * size);
      term.x = slice(reshape(transpose(term.x, axes), shape), -1, {.step = static_cast<std::ptrdiff_t>(size) + 1});
      const char letter = term.letters[i];
      term.letters.erase(other, 1), term.letters.erase(i, 1);
      term.letters += letter;
      i = 0;
    }
  return term;
}

// Without the dimensions that nothing else needs.
Term summed(const Term& term, std::string_view needed) {
  std::vector<std::ptrdiff_t> axes;
  for (std::size_t d = 0; d < term.letters.size(); ++d)
    if (!has(needed, term.letters[d])) axes.push_back(static_cast<std::ptrdiff_t>(d));
  return axes.empty() ? term : Term{those_in(term.letters, needed, true), sum(term.x, axes)};
}

// The product of two terms, summed over the letters that both have and nothing else needs.
Term product(const Term& all_a, const Term& all_b, const std::string& needed, const Sizes& sizes) {
  const Term a = summed(all_a, needed + all_b.letters), b = summed(all_b, needed + all_a.letters);
  const std::string common = those_in(a.letters, b.letters, true), batch = those_in(common, needed, true),
                    inner = those_in(common, needed, false), left = those_in(a.letters, b.letters, false),
                    right = those_in(b.letters, a.letters, false);
  const Variable x = ordered(a, batch + left + inner), y = ordered(b, batch + inner + right);
  const auto shape = [&](std::string_view letters) {
    Shape result;
    for (const char letter : letters) result.push_back(sizes.at(letter));
    return result;
  };
  const std::size_t count = element_count(shape(batch)), rows = element_count(shape(left)),
                    depth = element_count(shape(inner)), columns = element_count(shape(right));
  const std::string all = batch + left + right;
  return {all, reshape(matmul(reshape(x, {count, rows, depth}), reshape(y, {count, depth, columns})), shape(all))};
}

}  // namespace

Variable einsum(std::string_view subscripts, const std::vector<Variable>& inputs) {
  const auto refuse = [&](const auto&... what) { throw ValueError(message("[einsum] '", subscripts, "': ", what...)); };
  std::vector<std::string> letters(1);
  std::string result;
  bool has_result = false;
  for (std::size_t i = 0; i < subscripts.size(); ++i) {
    const char c = subscripts[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
      (has_result ? result : letters.back()) += c;
    else if (c == ',' && !has_result)
      letters.emplace_back();
    else if (subscripts.substr(i, 2) == "->" && !has_result)
      has_result = true, ++i;
    else if (c != ' ')
      refuse("expected letters, commas and one '->', got '", std::string(1, c), "'");
  }
  if (letters.size() != inputs.size())
    refuse("expected ", letters.size(), letters.size() == 1 ? " input" : " inputs", ", got ", inputs.size());

  Sizes sizes, times;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = inputs[i].shape();
    if (shape.size() != letters[i].size())
      throw ShapeError(
          message("[einsum] '", letters[i], "' has ", letters[i].size(), " letters for the shape ", shape));
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const char letter = letters[i][d];
      ++times[letter];
      if (const std::size_t size = sizes.emplace(letter, shape[d]).first->second; size != shape[d])
        throw ShapeError(
            message("[einsum] '", std::string(1, letter), "' is ", size, " and ", shape[d], " in '", subscripts, "'"));
    }
  }
  if (!has_result)
    for (const auto& [letter, count] : times)
      if (count == 1) result += letter;
  for (const char letter : result)
    if (times[letter] == 0 || std::count(result.begin(), result.end(), letter) > 1)
      refuse("the result's '", std::string(1, letter), "' is ", times[letter] == 0 ? "in no input" : "there twice");

  Term total = diagonal({letters[0], inputs[0]});
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    std::string needed = result;
    for (std::size_t later = i + 1; later < inputs.size(); ++later) needed += letters[later];
    total = product(total, diagonal({letters[i], inputs[i]}), needed, sizes);
  }
  total = summed(total, result);
  return ordered(total, result);
}

}  // namespace xgrad
