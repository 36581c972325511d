// Texts as sequences of numbered characters.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/datasets/tensor_dataset.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::datasets {

/// A whole file in UTF-8. DataError, with the place of the first byte that is not, and for an empty file.
std::string read_text(const std::filesystem::path& file, LoadOptions options = {});

/// The different characters of a text, numbered in the order of their code points. A character is a code point.
class Characters {
 public:
  /// DataError for a text that is empty or not UTF-8.
  explicit Characters(std::string_view text);

  std::size_t size() const { return characters_.size(); }
  /// The number of each character: (length,). DataError for a character that is not one of these, and for what is not
  /// UTF-8.
  IndexTensor encode(std::string_view text) const;
  /// ValueError for a number outside [0, size()).
  std::string decode(const IndexTensor& numbers) const;

 private:
  std::vector<std::string> characters_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
};

/// Samples to learn from what comes next: `length` numbers from one of the places 0, step, 2 step, … on, and those that
/// follow each of them. ValueError for a length or a step of 0, and for fewer than length + 1 numbers.
TensorDataset<IndexTensor, IndexTensor> next_of_each(const IndexTensor& numbers, std::size_t length, std::size_t step);

}  // namespace xgrad::datasets
