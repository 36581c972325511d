// Tables of numbers and categories from files of comma-separated values.
#pragma once

#include <xgrad/core/file.h>
#include <xgrad/core/tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace xgrad::datasets {

struct CsvOptions {
  char separator = ',';
  bool header = true;  ///< the first record names the columns; else they are "1", "2", …
  std::vector<std::string> missing = {"", "NA", "NaN", "nan", "?"};  ///< cells, unless quoted, that stand for no value
  LoadOptions load = {};
};

/// A column is numeric where every cell that is not missing is a finite number, such as -1.5e3; else its cells are
/// categories.
struct CsvColumn {
  std::string name;
  bool numeric = true;
  std::vector<double> numbers = {};          ///< NaN for a missing one; none where it is not numeric
  std::vector<std::string> categories = {};  ///< the different cells, in the order of their bytes; none where numeric
  std::vector<std::int64_t> codes = {};      ///< each row's place in `categories`; -1 for a missing one
};

/// Columns of inputs, as read_csv() found them.
struct CsvFeatures {
  Tensor values;                   ///< (rows, features), NaN for what is missing
  std::vector<std::string> names;  ///< of a category: "colour=red"
};

class CsvTable {
 public:
  CsvTable(std::string file, std::vector<CsvColumn> columns, std::vector<std::size_t> lines);

  std::size_t size() const { return lines_.size(); }  ///< rows
  const std::vector<CsvColumn>& columns() const { return columns_; }
  /// DataError for an unknown name, with those that there are.
  const CsvColumn& column(const std::string& name) const;

  /// These columns, or all but `without`: a feature for each numeric one, and for each category of the others one that
  /// is 1 where a row is of it and 0 elsewhere (NaN where it is missing).
  CsvFeatures features(const std::vector<std::string>& names) const;
  CsvFeatures features_without(const std::vector<std::string>& without) const;
  /// A numeric column as (rows,). DataError, with the line, for a missing value or a column of categories.
  Tensor numbers(const std::string& name) const;
  /// A column as classes (rows,): its categories, or its numbers where these are whole and not negative. DataError,
  /// with the line, for a missing value and for other numbers.
  IndexTensor classes(const std::string& name) const;

 private:
  template <class... Parts>
  [[noreturn]] void fail(std::size_t row, const CsvColumn& column, const Parts&... what) const;

  std::string file_;
  std::vector<CsvColumn> columns_;
  std::vector<std::size_t> lines_;  // of each row
};

/// RFC 4180, with LF or CRLF, any separator and, if it is there, UTF-8's byte order mark. DataError, with the file and
/// the line, for records of different lengths, an unfinished quotation or something after one, a quotation mark within
/// a cell, a zero byte, a number beyond the range of double, a column without a name or with that of another one, and a
/// table without rows. Blank lines are refused too, but for the end of the file: they may be a cell that is missing.
CsvTable read_csv(const std::filesystem::path& file, const CsvOptions& options = {});

}  // namespace xgrad::datasets
