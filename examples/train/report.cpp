#include "report.h"

#include <xgrad/core/errors.h>

#include <algorithm>

namespace train {

using xgrad::message;

namespace {

using Row = std::vector<std::string>;

// "5", or "1.4 of 5" where a run ended early.
std::string epochs_text(const Run& run, std::size_t epochs) {
  const std::string all = std::to_string(epochs);
  return run.epochs < static_cast<double>(epochs) ? message(fixed(run.epochs, 1), " of ", all) : all;
}

Row row(const Run& run, std::size_t epochs, bool best) {
  const bool failed = !run.failure.empty();
  const std::string accuracy = run.accuracy ? fixed(100 * *run.accuracy, 2) + " %" : "-";
  return {std::string(run.choice.kind->name),
          shortest(run.choice.lr),
          epochs_text(run, epochs),
          failed           ? "diverged"
          : run.epochs > 0 ? loss_text(run.loss)
                           : "-",
          (failed ? "-" : accuracy) + (best ? " *" : "  "),
          fixed(run.seconds, 2),
          bytes(run.state_bytes)};
}

double rank(const Run& run) { return run.failure.empty() ? run.accuracy.value_or(-1) : -1; }

}  // namespace

std::string table(const std::vector<Run>& runs, std::size_t epochs, bool colors) {
  const auto better = [](const Run& a, const Run& b) { return rank(a) < rank(b); };
  const auto best = std::max_element(runs.begin(), runs.end(), better);
  const double highest = runs.size() > 1 ? rank(*best) : -1;
  std::vector<Row> rows = {{"optimizer", "lr", "epochs", "train loss", "test accuracy  ", "seconds", "state"}};
  for (const Run& run : runs) rows.push_back(row(run, epochs, highest >= 0 && rank(run) == highest));

  std::vector<std::size_t> widths(rows[0].size());
  for (const Row& cells : rows)
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());

  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line = pad_right(rows[r][0], widths[0]);
    for (std::size_t i = 1; i < rows[r].size(); ++i) line += "  " + pad_left(rows[r][i], widths[i]);
    const bool is_best = line.find('*') != std::string::npos;
    const char* code = r == 0 ? "\x1b[1m" : is_best ? "\x1b[1;32m" : "";
    text += colors && *code != '\0' ? message(code, line, "\x1b[0m\n") : line + "\n";
  }
  return text;
}

std::string csv(const std::vector<Run>& runs) {
  std::string text = "optimizer,epoch,step,train_loss,test_accuracy,seconds\n";
  for (const Run& run : runs)
    for (const Point& point : run.points)
      text += message(run.choice.label, ",", point.epoch, ",", point.step, ",", point.loss, ",",
                      point.accuracy ? message(*point.accuracy) : "", ",", fixed(point.seconds, 4), "\n");
  return text;
}

}  // namespace train
