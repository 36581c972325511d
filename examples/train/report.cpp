#include "report.h"

#include <xgrad/core/errors.h>

#include <algorithm>

namespace train {

using namespace cli;

using xgrad::message, xgrad::printable;

namespace {

constexpr std::size_t accuracy_from_the_end = 3;

bool validated(const std::vector<Run>& runs) {
  return std::any_of(runs.begin(), runs.end(), [](const Run& run) { return run.validation_accuracy.has_value(); });
}

// "5", or "1.4 of 5" where a run ended early.
std::string epochs_text(const Run& run, std::size_t epochs) {
  const std::string all = std::to_string(epochs);
  return run.epochs < static_cast<double>(epochs) ? message(fixed(run.epochs, 1), " of ", all) : all;
}

std::vector<std::string> cells(const Run& run, std::size_t epochs, bool validation) {
  const bool failed = !run.failure.empty();
  std::vector<std::string> cells = {std::string(run.choice.kind->name), shortest(run.choice.lr),
                                    epochs_text(run, epochs),
                                    failed           ? "diverged"
                                    : run.epochs > 0 ? loss_text(run.loss)
                                                     : "-"};
  if (validation) cells.push_back(run.validation_accuracy && !failed ? percent(*run.validation_accuracy, 2) : "-");
  cells.push_back(run.test && !failed ? percent(run.test->accuracy, 2) : "-");
  cells.push_back(fixed(run.seconds, 2));
  cells.push_back(bytes(run.state_bytes));
  return cells;
}

double rank(const Run& run) { return run.failure.empty() && run.test ? run.test->accuracy : -1; }

}  // namespace

std::vector<Row> rows(const std::vector<Run>& runs, std::size_t epochs) {
  const bool validation = validated(runs);
  std::vector<Row> rows = {{{"optimizer", "lr", "epochs", "train loss"}}};
  if (validation) rows[0].cells.emplace_back("validation");
  for (const char* heading : {"test accuracy", "seconds", "state"}) rows[0].cells.emplace_back(heading);

  const Run* const best = best_run(runs);
  const double highest = runs.size() > 1 && best ? rank(*best) : -1;
  for (const Run& run : runs) rows.push_back({cells(run, epochs, validation), highest >= 0 && rank(run) == highest});
  return rows;
}

const Run* best_run(const std::vector<Run>& runs) {
  const Run* best = nullptr;
  for (const Run& run : runs)
    if (rank(run) >= 0 && (!best || rank(run) > rank(*best))) best = &run;
  return best;
}

std::string table(const std::vector<Run>& runs, std::size_t epochs, bool colors) {
  std::vector<Row> all = rows(runs, epochs);
  std::vector<std::size_t> widths(all[0].cells.size());
  for (Row& row : all) {
    row.cells[row.cells.size() - accuracy_from_the_end] += row.best ? " *" : "  ";
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row.cells[i].size());
  }

  std::string text;
  for (const Row& row : all) {
    std::string line = pad_right(row.cells[0], widths[0]);
    for (std::size_t i = 1; i < widths.size(); ++i) line += "  " + pad_left(row.cells[i], widths[i]);
    const char* code = &row == &all[0] ? "\x1b[1m" : row.best ? "\x1b[1;32m" : "";
    text += colors && *code != '\0' ? message(code, line, "\x1b[0m\n") : line + "\n";
  }
  if (std::any_of(all.begin(), all.end(), [](const Row& row) { return row.best; }))
    text += "* the best test accuracy\n";
  return text;
}

std::string confusions(const std::vector<Run>& runs, const std::vector<std::string>& class_names) {
  std::string text;
  for (const Run& run : runs) {
    if (!run.test || !run.failure.empty()) continue;
    std::string list;
    for (const Confusion& worst : worst_confusions(run.test->confusion, 3))
      list +=
          message(list.empty() ? "" : ", ", printable(class_names[worst.label]), " read as ",
                  printable(class_names[worst.prediction]), ": ", worst.count, worst.count == 1 ? " time" : " times");
    text += message(text.empty() ? "\n" : "", run.choice.label, ": ", list.empty() ? "no mistakes" : list, "\n");
  }
  return text;
}

std::string csv(const std::vector<Run>& runs) {
  const auto number = [](std::optional<double> value) { return value ? message(*value) : ""; };
  const bool validation = validated(runs);
  std::string text =
      message("optimizer,epoch,step,train_loss,test_accuracy,seconds", validation ? ",validation_accuracy\n" : "\n");
  for (const Run& run : runs)
    for (const Point& point : run.points)
      text += message(run.choice.label, ",", point.epoch, ",", point.step, ",", point.loss, ",", number(point.accuracy),
                      ",", fixed(point.seconds, 4), validation ? "," : "", number(point.validation_accuracy), "\n");
  return text;
}

}  // namespace train
