#include "table_data.h"

#include <xgrad/core/errors.h>
#include <xgrad/datasets/csv.h>
#include <xgrad/datasets/split.h>
#include <xgrad/datasets/standardizer.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace train {

using namespace cli;

namespace {

using xgrad::message, xgrad::printable;
using namespace xgrad::datasets;

constexpr std::size_t most_numeric_classes = 100;

struct Classes {
  xgrad::IndexTensor labels;
  std::vector<std::string> names;
};

// Categories, or different whole numbers in their order.
Classes classes_of(const CsvTable& table, const CsvColumn& column) {
  if (!column.numeric) return {table.classes(column.name), column.categories};
  table.numbers(column.name);  // DataError, with the line, where one is missing
  std::vector<double> different = column.numbers;
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  const auto broken = std::find_if(different.begin(), different.end(), [](double x) { return x != std::floor(x); });
  if (broken != different.end() || different.size() > most_numeric_classes)
    throw UsageError(message("--label: '", printable(column.name), "' holds ", different.size(),
                             " different numbers, such as ",
                             shortest(broken == different.end() ? different[0] : *broken),
                             ", and no classes; examples/table learns to predict a number"));
  Classes classes{xgrad::IndexTensor::from_shape({table.size()}), {}};
  for (const double number : different) classes.names.push_back(shortest(number));
  for (std::size_t row = 0; row < table.size(); ++row)
    classes.labels(row) = std::lower_bound(different.begin(), different.end(), column.numbers[row]) - different.begin();
  return classes;
}

std::size_t missing_cells(const CsvColumn& column) {
  const auto is_missing = [](auto value) { return !(value >= 0 || value < 0); };
  return static_cast<std::size_t>(column.numeric
                                      ? std::count_if(column.numbers.begin(), column.numbers.end(), is_missing)
                                      : std::count(column.codes.begin(), column.codes.end(), -1));
}

}  // namespace

void check_table_options(const Options& options) {
  if (!options.is_table()) {
    if (options.label) throw UsageError("--label belongs to --data FILE.csv");
    return;
  }
  if (options.model != &model_kinds().front())
    throw UsageError(message("--model: ", options.model->name, " sees pictures; for a table there is mlp"));
  const std::pair<const char*, bool> of_pictures[] = {{"--augment distorts", options.augment},
                                                      {"--picture-size scales", options.picture_size.has_value()},
                                                      {"--test reads", options.test.has_value()}};
  for (const auto& [what, given] : of_pictures)
    if (given) throw UsageError(message(what, " pictures; --data is a table, of which a fifth is to test with"));
  if (options.save) throw UsageError("--save is for --classify, which sees pictures, and --data is a table");
}

Split read_table(const Options& options, std::string& found) {
  const std::string file = printable(options.data->string());
  const CsvTable table = read_csv(*options.data, {.load = {options.memory_limit}});
  const CsvColumn& target = table.column(options.label.value_or(table.columns().back().name));
  const Classes classes = classes_of(table, target);
  if (classes.names.size() < 2)
    throw UsageError(message("--label: '", printable(target.name), "' is the same in every row"));

  std::size_t width = 0, numeric = 0, columns = 0, missing = 0, widest_column = 0;
  for (const CsvColumn& column : table.columns()) {
    if (&column == &target) continue;
    const std::size_t missing_here = missing_cells(column);
    if (missing_here == table.size())
      throw UsageError(message("--data: ", file, ": the column '", printable(column.name), "' has no value"));
    ++columns, numeric += column.numeric, missing += missing_here;
    width += std::max<std::size_t>(column.categories.size(), 1);
    widest_column = std::max(widest_column, column.categories.size());
  }
  if (columns == 0)
    throw UsageError(message("--data: ", file, ": there is no column besides '", printable(target.name), "'"));
  if (width > options.memory_limit / sizeof(xgrad::Scalar) / table.size())
    throw UsageError(message("--data: ", file, ": ", table.size(), " rows of ", width,
                             " features take more memory than --memory-limit; one column alone has ", widest_column,
                             " categories"));
  const CsvFeatures features = table.features_without({target.name});
  const auto parts = random_split(Samples::Rows(features.values, classes.labels), {0.8, 0.2}, 0,
                                  {classes.labels.data(), classes.labels.size()});
  found = message(" of '", printable(target.name), "', ", width, " features of ", columns, " columns (", numeric,
                  " of numbers, ", columns - numeric, " of categories), ", grouped(missing), " cells missing");
  return {{parts[0], classes.names}, {parts[1], classes.names}};
}

void standardize(Split& data, std::optional<Samples>& validation) {
  const Standardizer scale(data.train.rows()->get<0>());
  for (Samples* samples : {&data.train, &data.test, validation ? &*validation : nullptr})
    if (samples)
      *samples = {Samples::Rows(scale(samples->rows()->get<0>()), samples->rows()->get<1>()), samples->class_names()};
}

}  // namespace train
