#include <xgrad/core/errors.h>
#include <xgrad/datasets/text.h>

#include <algorithm>
#include <set>

namespace xgrad::datasets {
namespace {

// fail(place) for what is not UTF-8.
template <class Fail>
std::vector<std::string_view> characters_of(std::string_view text, Fail fail) {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at < text.size(); at += all.back().size()) {
    const std::size_t bytes = character_bytes(text.substr(at));
    if (bytes == 0) fail(at);
    all.push_back(text.substr(at, bytes));
  }
  return all;
}

std::vector<std::string_view> checked_characters(std::string_view text) {
  return characters_of(text, [](std::size_t at) {
    throw DataError(message("[Characters] expected UTF-8, got something else at byte ", at));
  });
}

}  // namespace

std::string read_text(const std::filesystem::path& path, LoadOptions options) {
  InputFile file("text", path, options);
  std::string text = file.read_all();
  characters_of(text, [&](std::size_t at) { file.fail("expected UTF-8, got something else at byte ", at); });
  return text;
}

Characters::Characters(std::string_view text) {
  const std::vector<std::string_view> all = checked_characters(text);
  if (all.empty()) throw DataError("[Characters] expected a text, got an empty one");
  const std::set<std::string_view> different(all.begin(),
                                             all.end());  // the order of UTF-8's bytes is that of its code points
  for (const std::string_view character : different) {
    numbers_.emplace(character, static_cast<std::int64_t>(characters_.size()));
    characters_.emplace_back(character);
  }
}

IndexTensor Characters::encode(std::string_view text) const {
  const std::vector<std::string_view> all = checked_characters(text);
  IndexTensor numbers = IndexTensor::from_shape({all.size()});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto found = numbers_.find(all[i]);
    if (found == numbers_.end())
      throw DataError(message("[Characters] '", printable(all[i]), "', character ", i, ", is not one of the ", size()));
    numbers.data()[i] = found->second;
  }
  return numbers;
}

std::string Characters::decode(const IndexTensor& numbers) const {
  std::string text;
  for (const std::int64_t number : numbers) {
    if (number < 0 || number >= static_cast<std::int64_t>(size()))
      throw ValueError(message("[Characters] expected numbers from 0 to below ", size(), ", got ", number));
    text += characters_[static_cast<std::size_t>(number)];
  }
  return text;
}

TensorDataset<IndexTensor, IndexTensor> next_of_each(const IndexTensor& numbers, std::size_t length, std::size_t step) {
  if (length == 0 || step == 0 || numbers.size() <= length)
    throw ValueError(
        message("[next_of_each] expected a length and a step of 1 or more and more numbers than the length, got ",
                length, ", ", step, " and ", numbers.size(), " numbers"));
  const std::size_t count = (numbers.size() - 1 - length) / step + 1;
  IndexTensor inputs = IndexTensor::from_shape({count, length}), targets = inputs;
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(numbers.data() + i * step, length, inputs.data() + i * length);
    std::copy_n(numbers.data() + i * step + 1, length, targets.data() + i * length);
  }
  return TensorDataset(std::move(inputs), std::move(targets));
}

}  // namespace xgrad::datasets
