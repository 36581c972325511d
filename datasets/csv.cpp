#include <xgrad/core/errors.h>
#include <xgrad/datasets/csv.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

namespace xgrad::datasets {
namespace {

constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();

struct Cell {
  std::string text;
  bool quoted = false;
};
struct Record {
  std::size_t line = 0;  // where it begins
  std::vector<Cell> cells;
};

class Reader {
 public:
  Reader(InputFile& file, std::string_view text, char separator) : file_(file), rest_(text), separator_(separator) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }
  bool ended() const { return rest_.empty(); }

  Record record() {
    Record record{.line = line_, .cells = {}};
    do record.cells.push_back(rest_.starts_with('"') ? quoted() : plain());
    while (take(separator_));
    take('\r');
    if (!ended() && !take('\n')) file_.fail("line ", line_, ": expected a separator after a quotation, got ", shown());
    ++line_;
    return record;
  }

 private:
  bool take(char expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string shown() const { return message("'", printable(std::string(rest_.substr(0, 1))), "'"); }

  Cell plain() {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != separator_ && rest_[end] != '\n' &&
           !(rest_[end] == '\r' && (end + 1 == rest_.size() || rest_[end + 1] == '\n'))) {
      if (rest_[end] == '"')
        file_.fail("line ", line_, ": a quotation mark within a cell that does not begin with one");
      if (rest_[end] == '\0') file_.fail("line ", line_, ": a zero byte: this is no text");
      ++end;
    }
    Cell cell{std::string(rest_.substr(0, end))};
    rest_.remove_prefix(end);
    return cell;
  }

  Cell quoted() {
    const std::size_t begin = line_;
    Cell cell{.text = {}, .quoted = true};
    rest_.remove_prefix(1);
    for (;; rest_.remove_prefix(1)) {
      if (ended()) file_.fail("line ", begin, ": a quotation that does not end");
      if (rest_[0] == '"' && !rest_.substr(1).starts_with('"')) break;
      if (rest_[0] == '"') rest_.remove_prefix(1);
      if (rest_[0] == '\0') file_.fail("line ", line_, ": a zero byte: this is no text");
      line_ += rest_[0] == '\n';
      cell.text += rest_[0];
    }
    rest_.remove_prefix(1);
    return cell;
  }

  InputFile& file_;
  std::string_view rest_;
  char separator_;
  std::size_t line_ = 1;
};

// Infinite where it is out of the range of double, and NaN where it is no number.
double number_in(const std::string& cell) {
  const std::string_view digits = std::string_view(cell).substr(cell.starts_with('+') ? 1 : 0);
  double number = missing_number;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || end != digits.data() + digits.size()) return missing_number;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::infinity();
  return error == std::errc() && std::isfinite(number) ? number : missing_number;
}

CsvColumn column_of(std::string name, std::size_t place, const std::vector<Record>& records, const InputFile& file,
                    const std::vector<std::string>& missing) {
  CsvColumn column{.name = std::move(name)};
  const auto is_missing = [&missing](const Cell& cell) {
    return !cell.quoted && std::find(missing.begin(), missing.end(), cell.text) != missing.end();
  };
  for (const Record& record : records) {
    const Cell& cell = record.cells[place];
    const double number = is_missing(cell) ? missing_number : number_in(cell.text);
    if (std::isinf(number))
      file.fail("line ", record.line, ": ", printable(cell.text), " is out of the range of numbers");
    column.numeric = column.numeric && (is_missing(cell) || !std::isnan(number));
    column.numbers.push_back(number);
  }
  if (column.numeric) return column;
  column.numbers.clear();
  std::set<std::string> different;
  for (const Record& record : records)
    if (!is_missing(record.cells[place])) different.insert(record.cells[place].text);
  column.categories.assign(different.begin(), different.end());
  for (const Record& record : records) {
    const Cell& cell = record.cells[place];
    const auto found = std::lower_bound(column.categories.begin(), column.categories.end(), cell.text);
    column.codes.push_back(is_missing(cell) ? -1 : found - column.categories.begin());
  }
  return column;
}

std::vector<std::string> names_of(const Record& header, const InputFile& file) {
  std::set<std::string> different;
  std::vector<std::string> names;
  for (const Cell& cell : header.cells) {
    names.push_back(cell.text);
    if (cell.text.empty()) file.fail("line ", header.line, ": column ", names.size(), " has no name");
    if (!different.insert(cell.text).second)
      file.fail("line ", header.line, ": two columns have the name '", printable(cell.text), "'");
  }
  return names;
}

}  // namespace

CsvTable read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  InputFile file("csv", path, options.load);
  const std::string text = file.read_all();
  Reader reader(file, text, options.separator);
  std::vector<Record> records;
  while (!reader.ended()) {
    records.push_back(reader.record());
    const Record& last = records.back();
    std::uintmax_t bytes = sizeof(Record);
    for (const Cell& cell : last.cells) bytes += sizeof(Cell) + cell.text.size();
    file.claim(bytes);
    const std::size_t expected = records[0].cells.size(), got = last.cells.size();
    if (got != expected)
      file.fail("line ", last.line, ": expected ", expected, " cells, as in line ", records[0].line, ", got ", got);
    if (got == 1 && last.cells[0].text.empty() && !last.cells[0].quoted)
      file.fail("line ", last.line, ": a blank line");
  }
  std::vector<std::string> names;
  if (options.header && !records.empty()) {
    names = names_of(records[0], file);
    records.erase(records.begin());
  }
  if (records.empty()) file.fail("expected one row or more, got none");
  for (std::size_t i = names.size(); i < records[0].cells.size(); ++i) names.push_back(std::to_string(i + 1));

  std::vector<CsvColumn> columns;
  for (std::size_t place = 0; place < names.size(); ++place)
    columns.push_back(column_of(names[place], place, records, file, options.missing));
  std::vector<std::size_t> lines;
  for (const Record& record : records) lines.push_back(record.line);
  return {printable(path.string()), std::move(columns), std::move(lines)};
}

CsvTable::CsvTable(std::string file, std::vector<CsvColumn> columns, std::vector<std::size_t> lines)
    : file_(std::move(file)), columns_(std::move(columns)), lines_(std::move(lines)) {}

template <class... Parts>
void CsvTable::fail(std::size_t row, const CsvColumn& column, const Parts&... what) const {
  throw DataError(message("[csv] ", file_, ": line ", lines_[row], ": '", printable(column.name), "'", what...));
}

const CsvColumn& CsvTable::column(const std::string& name) const {
  const auto found =
      std::find_if(columns_.begin(), columns_.end(), [&](const CsvColumn& column) { return column.name == name; });
  if (found != columns_.end()) return *found;
  std::string all;
  for (const CsvColumn& column : columns_) all += (all.empty() ? "" : ", ") + printable(column.name);
  throw DataError(message("[csv] ", file_, ": there is no column '", printable(name), "'; there are ", all));
}

CsvFeatures CsvTable::features(const std::vector<std::string>& names) const {
  CsvFeatures result;
  std::vector<const CsvColumn*> chosen;
  for (const std::string& name : names) {
    const CsvColumn& one = *chosen.emplace_back(&column(name));
    if (one.numeric) result.names.push_back(name);
    for (const std::string& category : one.categories) result.names.push_back(name + "=" + category);
  }
  result.values = Tensor::from_shape({size(), result.names.size()});
  Scalar* to = result.values.data();
  for (std::size_t row = 0; row < size(); ++row)
    for (const CsvColumn* one : chosen) {
      if (one->numeric) *to++ = static_cast<Scalar>(one->numbers[row]);
      for (std::size_t i = 0; i < one->categories.size(); ++i) {
        const std::int64_t code = one->codes[row];
        *to++ = code < 0 ? std::numeric_limits<Scalar>::quiet_NaN() : Scalar(code == static_cast<std::int64_t>(i));
      }
    }
  return result;
}

CsvFeatures CsvTable::features_without(const std::vector<std::string>& without) const {
  for (const std::string& name : without) column(name);
  std::vector<std::string> names;
  for (const CsvColumn& one : columns_)
    if (std::find(without.begin(), without.end(), one.name) == without.end()) names.push_back(one.name);
  return features(names);
}

Tensor CsvTable::numbers(const std::string& name) const {
  const CsvColumn& one = column(name);
  for (std::size_t row = 0; row < one.codes.size(); ++row)
    if (one.codes[row] >= 0)
      if (const std::string& cell = one.categories[static_cast<std::size_t>(one.codes[row])];
          std::isnan(number_in(cell)))
        fail(row, one, ": expected a number, got '", printable(cell), "'");
  Tensor result = Tensor::from_shape({size()});
  for (std::size_t row = 0; row < size(); ++row) {
    if (std::isnan(one.numbers[row])) fail(row, one, " is missing");
    result(row) = static_cast<Scalar>(one.numbers[row]);
  }
  return result;
}

IndexTensor CsvTable::classes(const std::string& name) const {
  const CsvColumn& one = column(name);
  IndexTensor result = IndexTensor::from_shape({size()});
  for (std::size_t row = 0; row < size(); ++row) {
    const double number = one.numeric ? one.numbers[row] : static_cast<double>(one.codes[row]);
    if (std::isnan(number) || (!one.numeric && number < 0)) fail(row, one, " is missing");
    if (!(number >= 0 && number < 0x1p31 && number == std::floor(number)))
      fail(row, one, ": expected a class, a whole number from 0 on, got ", number);
    result(row) = static_cast<std::int64_t>(number);
  }
  return result;
}

}  // namespace xgrad::datasets
