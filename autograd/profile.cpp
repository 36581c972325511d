#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cstdio>
#include <new>

namespace xgrad {

void Profile::add(std::string_view name) {
  const double seconds = std::chrono::duration<double>(Clock::now() - last_).count();
  const auto same = [&](const Row& row) { return row.name == name && row.gradient_of == gradient_of_; };
  auto row = std::find_if(rows_.begin(), rows_.end(), same);
  if (row == rows_.end()) {
    try {
      row = rows_.insert(row, {std::string(name), std::string(gradient_of_), 0, 0});
    } catch (const std::bad_alloc&) {
      return;  // destructors call this: the time goes to the next event
    }
  }
  ++row->count, row->seconds += seconds;
  last_ = Clock::now();  // the time of this function goes to none
}

std::string Profile::table() const {
  std::vector<Row> rows = rows_;
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  double total = 0;
  for (const Row& row : rows) total += row.seconds;
  std::string text = "   seconds   share      count  name\n";
  for (const Row& row : rows) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%10.4f  %4.1f %%  %9zu  ", row.seconds, 100 * row.seconds / total,
                  row.count);
    text += message(numbers, row.name, row.gradient_of.empty() ? "" : " in the gradient of ", row.gradient_of, "\n");
  }
  return text;
}

}  // namespace xgrad
