#include "csv.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <set>
#include <stdexcept>

namespace lab {

std::string csv_number(double number) {
  if (std::isnan(number)) return "";
  std::array<char, 40> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.9g", number);
  return buffer.data();
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    if (cells[i].find_first_of(",\"\n") == std::string::npos) {
      line += cells[i];
      continue;
    }
    line += '"';
    for (const char c : cells[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + '\n';
}

std::string csv_name(const Section& section, const std::string& name) { return section.id + "-" + name + ".csv"; }

namespace {

// A cell with a spread takes three columns in all rows.
std::string lines(const Table& table) {
  std::vector<std::size_t> widths(table.columns.size(), 1);
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths.at(c) = std::max(widths[c], row[c].numbers.size());
  std::vector<std::string> head;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    head.push_back(table.columns[c]);
    if (widths[c] == 3) head.insert(head.end(), {table.columns[c] + ": least", table.columns[c] + ": most"});
  }
  std::string text = csv_line(head);
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const Cell& cell = row[c];
      if (cell.numbers.empty()) cells.push_back(cell.text);
      for (const double number : cell.numbers) cells.push_back(csv_number(number));
      cells.resize(cells.size() + widths[c] - std::max<std::size_t>(1, cell.numbers.size()));
    }
    text += csv_line(cells);
  }
  return text;
}

std::string lines(const LineChart& chart) {
  std::string text = csv_line({"line", chart.x.label, chart.y.label, "least", "most"});
  for (const Line& line : chart.lines)
    for (std::size_t i = 0; i < line.x.size(); ++i)
      text += csv_line({line.label, csv_number(line.x[i]), csv_number(line.y.at(i)),
                        line.low.empty() ? "" : csv_number(line.low.at(i)),
                        line.high.empty() ? "" : csv_number(line.high.at(i))});
  for (const Mark& mark : chart.marks)
    text += csv_line(
        {mark.label, mark.horizontal ? "" : csv_number(mark.at), mark.horizontal ? csv_number(mark.at) : "", "", ""});
  return text;
}

std::string lines(const DotPlot& plot) {
  std::string text = csv_line({"group", "run", plot.x.label});
  for (const DotPlot::Group& group : plot.groups)
    for (std::size_t i = 0; i < group.values.size(); ++i)
      text += csv_line({group.label, std::to_string(i + 1), csv_number(group.values[i])});
  for (const Mark& mark : plot.marks) text += csv_line({mark.label, "", csv_number(mark.at)});
  return text;
}

std::string lines(const HeatMap& map) {
  std::string text = csv_line({map.x_label, map.y_label, map.value_label});
  for (std::size_t y = 0; y < map.y.size(); ++y)
    for (std::size_t x = 0; x < map.x.size(); ++x)
      text += csv_line({map.x[x], map.y[y], csv_number(map.values.at(y).at(x))});
  return text;
}

std::string lines(const Landscape& map) {
  std::string text = csv_line({"of", map.x_label, map.y_label, "value"});
  const auto at = [](double low, double high, std::size_t i, std::size_t count) {
    return low + (high - low) * static_cast<double>(i) / static_cast<double>(count - 1);
  };
  for (std::size_t r = 0; r < map.rows; ++r)
    for (std::size_t c = 0; c < map.columns; ++c)
      text +=
          csv_line({"surface", csv_number(at(map.left, map.right, c, map.columns)),
                    csv_number(at(map.bottom, map.top, r, map.rows)), csv_number(map.values.at(r * map.columns + c))});
  for (const Landscape::Path& path : map.paths)
    for (std::size_t i = 0; i < path.x.size(); ++i)
      text += csv_line({path.label, csv_number(path.x[i]), csv_number(path.y.at(i)), ""});
  return text;
}

class Collector {
 public:
  explicit Collector(const Section& section) : section_(section) {}

  void operator()(const Text&) {}
  void operator()(const Heading&) {}
  void operator()(const Cards&) {}
  void operator()(const Box&) {}
  void operator()(const Claim&) {}
  void operator()(const Custom& custom) {
    for (const Csv& file : custom.files) add(file.name, file.lines);
  }
  void operator()(const Choice& choice) {
    for (const Choice::Option& option : choice.options) all(option.blocks);
  }
  void operator()(const auto& figure) { add(figure.name, lines(figure)); }

  void all(const std::vector<Block>& blocks) {
    for (const Block& block : blocks) std::visit(*this, block);
  }

  std::vector<Csv> files;

 private:
  void add(const std::string& name, std::string content) {
    if (name.empty() || !names_.insert(name).second)
      throw std::logic_error("section " + section_.id + ": the name \"" + name + "\" is empty or comes twice");
    files.push_back({csv_name(section_, name), std::move(content)});
  }

  const Section& section_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<Csv> csv_files(const std::vector<Section>& sections) {
  std::vector<Csv> files;
  for (const Section& section : sections) {
    Collector collector(section);
    collector.all(section.blocks);
    files.insert(files.end(), collector.files.begin(), collector.files.end());
  }
  return files;
}

}  // namespace lab
