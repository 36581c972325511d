// A table to train on: --data FILE.csv.
#pragma once

#include <optional>
#include <string>

#include "options.h"
#include "samples.h"

namespace train {

/// UsageError for options that are about pictures, where --data is a table, and for --label where it is none.
void check_table_options(const Options& options);

/// Rows in random order, a fifth of each class to test with. DataError for what is no table; UsageError, with the
/// column, where a table has nothing to learn from or no classes. `found` says what the columns are, for people.
Split read_table(const Options& options, std::string& found);

/// Puts all on the scale of the part to train on.
void standardize(Split& data, std::optional<Samples>& validation);

}  // namespace train
