#include "page.h"

#include <xgrad/core/errors.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "assets.h"
#include "csv.h"
#include "text.h"

namespace lab {
namespace {

using cli::escaped;
using xgrad::message;
using Json = nlohmann::ordered_json;

// Five digits are more than a figure shows. What is not finite is null.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 40> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.5g", value);
  const double rounded = std::strtod(buffer.data(), nullptr);
  if (rounded == std::floor(rounded) && std::abs(rounded) < 1e15) return static_cast<std::int64_t>(rounded);
  return rounded;
}

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

Json json(const Axis& axis) {
  Json object = {{"label", axis.label}, {"log", axis.logarithmic}};
  if (axis.low) object["low"] = number(*axis.low);
  if (axis.high) object["high"] = number(*axis.high);
  return object;
}

Json json(const std::vector<Mark>& marks) {
  Json list = Json::array();
  for (const Mark& mark : marks)
    list.push_back({{"label", mark.label}, {"at", number(mark.at)}, {"horizontal", mark.horizontal}});
  return list;
}

Json json(const LineChart& chart) {
  Json lines = Json::array();
  for (const Line& line : chart.lines) {
    Json object = {{"label", line.label}, {"color", line.color}, {"x", numbers(line.x)}, {"y", numbers(line.y)}};
    if (!line.low.empty()) object["low"] = numbers(line.low), object["high"] = numbers(line.high);
    if (line.dashed) object["dashed"] = true;
    lines.push_back(std::move(object));
  }
  return {{"kind", "line"}, {"x", json(chart.x)}, {"y", json(chart.y)}, {"lines", lines}, {"marks", json(chart.marks)}};
}

Json json(const DotPlot& plot) {
  Json groups = Json::array();
  for (const DotPlot::Group& group : plot.groups)
    groups.push_back({{"label", group.label},
                      {"color", group.color},
                      {"values", numbers(group.values)},
                      {"median", number(median(group.values))}});
  return {{"kind", "dot"}, {"x", json(plot.x)}, {"groups", groups}, {"marks", json(plot.marks)}};
}

Json json(const HeatMap& map) {
  Json rows = Json::array();
  for (const std::vector<double>& row : map.values) rows.push_back(numbers(row));
  return {{"kind", "heat"},
          {"x", map.x},
          {"y", map.y},
          {"x_label", map.x_label},
          {"y_label", map.y_label},
          {"value_label", map.value_label},
          {"values", rows},
          {"log", map.logarithmic},
          {"low_is_good", map.low_is_good},
          {"low", map.low ? Json(*map.low) : Json()},
          {"high", map.high ? Json(*map.high) : Json()}};
}

Json json(const Landscape& map) {
  Json paths = Json::array();
  for (const Landscape::Path& path : map.paths)
    paths.push_back({{"label", path.label}, {"color", path.color}, {"x", numbers(path.x)}, {"y", numbers(path.y)}});
  return {{"kind", "landscape"},    {"x_label", map.x_label},
          {"y_label", map.y_label}, {"range", numbers({map.left, map.right, map.bottom, map.top})},
          {"columns", map.columns}, {"values", numbers(map.values)},
          {"log", map.logarithmic}, {"paths", paths}};
}

std::string tag(const std::string& name, const std::string& content, const std::string& attributes = "") {
  return message("<", name, attributes.empty() ? "" : " ", attributes, ">", content, "</", name, ">");
}

// What would end the script element is written otherwise.
std::string script(const std::string& json) {
  std::string text;
  for (const char c : json) text += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return tag("script", text, "type=\"application/json\"");
}

class Writer {
 public:
  Writer(const Title& title, const Section& section) : title_(title), section_(section) {}

  std::string all(const std::vector<Block>& blocks) {
    std::string text, figures;
    const auto flush = [&] {
      if (!figures.empty()) text += tag("div", figures, "class=\"figures\"") + "\n";
      figures.clear();
    };
    for (const Block& block : blocks) {  // figures that follow each other stand side by side
      const std::string written = std::visit(*this, block);
      if (written.starts_with("<figure")) {
        figures += written;
        continue;
      }
      flush();
      text += written;
    }
    flush();
    return text;
  }

  std::string operator()(const Text& text) { return tag("p", escaped(text.words)) + "\n"; }
  std::string operator()(const Heading& heading) { return tag("h3", escaped(heading.words)) + "\n"; }
  std::string operator()(const Claim& claim) {
    const std::string badge = tag("span", word(claim.verdict), message("class=\"verdict ", word(claim.verdict), "\""));
    return tag("h3", message(claim.number, ". ", escaped(claim.claim)), message("id=\"claim-", claim.number, "\"")) +
           "\n" +
           tag("p", badge + " " + escaped(claim.words),
               message("class=\"claim\"", claim.measured ? " data-measured" : "")) +
           "\n";
  }

  std::string operator()(const Table& table) {
    std::string head, rows;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const bool words = !table.rows.empty() && table.rows[0].at(c).numbers.empty();
      head += tag("th", escaped(table.columns[c]), words ? "scope=\"col\" class=\"words\"" : "scope=\"col\"");
    }
    for (const auto& row : table.rows) {
      std::string cells;
      for (const Cell& cell : row) {
        const bool first = cells.empty();
        const std::string attributes = message(cell.numbers.empty() ? "class=\"words\"" : "",
                                               first ? " scope=\"row\"" : "", cell.is_measured ? " data-measured" : "");
        cells += tag(first ? "th" : "td", escaped(cell.text), attributes);
      }
      rows += tag("tr", cells) + "\n";
    }
    const std::string caption = tag("caption", escaped(table.caption) + " " + csv_link(table.name));
    return tag("div", tag("table", caption + tag("thead", tag("tr", head)) + tag("tbody", "\n" + rows)),
               message("class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", escaped(table.caption), "\"")) +
           "\n";
  }

  std::string operator()(const LineChart& chart) { return figure(chart.name, chart.title, chart.note, json(chart)); }
  std::string operator()(const DotPlot& plot) {
    return figure(plot.name, plot.title, plot.note, json(plot), plot.measured);
  }
  std::string operator()(const HeatMap& map) { return figure(map.name, map.title, map.note, json(map)); }
  std::string operator()(const Landscape& map) { return figure(map.name, map.title, map.note, json(map)); }
  std::string operator()(const Custom& custom) {
    Json spec = Json::parse(custom.json);
    spec["kind"] = custom.kind;
    std::string links;
    for (const Csv& file : custom.files) links += csv_link(file.name) + " ";
    return tag("div", figure_parts(custom.name, custom.title, custom.note, spec, links),
               message("class=\"wide\" id=\"", section_.id, "-", custom.name, "\"")) +
           "\n";
  }

  std::string operator()(const Choice& choice) {
    std::string options, parts;
    const std::string id = section_.id + "-" + choice.name;
    for (std::size_t i = 0; i < choice.options.size(); ++i) {
      options += tag("option", escaped(choice.options[i].label));
      parts += tag("div", all(choice.options[i].blocks), i == 0 ? "" : "hidden");
    }
    const std::string select = tag("select", options, message("id=\"", id, "\""));
    return tag("div", tag("label", escaped(choice.label) + " " + select) + parts, "class=\"choice\"") + "\n";
  }

 private:
  std::string csv_link(const std::string& name) const {
    const std::string file = csv_name(section_, name);
    return tag("a", "CSV",
               message("class=\"csv\" href=\"", escaped(title_.numbers), "/", file, "\" aria-label=\"numbers of ",
                       escaped(name), " as CSV\""));
  }
  std::string figure_parts(const std::string& name, const std::string& title, const std::string& note, Json spec,
                           const std::string& links) const {
    spec["title"] = title;
    spec["note"] = note;
    return message(tag("h4", escaped(title), message("id=\"", section_.id, "-", name, "-title\"")),
                   "<div class=\"plot\"></div>", script(spec.dump()),
                   tag("p", escaped(note) + " " + links, "class=\"note\""));
  }
  std::string figure(const std::string& name, const std::string& title, const std::string& note, Json spec,
                     bool measured = false) const {
    return tag("figure", figure_parts(name, title, note, std::move(spec), csv_link(name)),
               message("id=\"", section_.id, "-", name, "\"", measured ? " data-measured" : "")) +
           "\n";
  }

  const Title& title_;
  const Section& section_;
};

}  // namespace

std::string page(const Title& title, const std::vector<Section>& sections) {
  std::string links, text;
  for (const Section& section : sections) {
    links += tag("li", tag("a", escaped(section.title), message("href=\"#", section.id, "\"")));
    text += tag("section", tag("h2", escaped(section.title)) + "\n" + Writer(title, section).all(section.blocks),
                message("id=\"", section.id, "\"")) +
            "\n";
  }
  const std::string head =
      "<meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">" +
      tag("title", escaped(title.heading)) + "<link rel=\"icon\" href=\"data:,\">" + tag("style", style_sheet);
  const std::string body =
      "<a class=\"skip\" href=\"#main\">To the content</a>" +
      tag("header", tag("h1", escaped(title.heading)) + tag("p", escaped(title.introduction)) +
                        tag("nav", tag("ol", links), "aria-label=\"Sections\"")) +
      tag("noscript", tag("p", "The figures need JavaScript. All their numbers are in the CSV files.")) +
      tag("main", "\n" + text, "id=\"main\"") + tag("script", page_script);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n" + tag("head", head) + "\n" + tag("body", body) + "\n</html>\n";
}

}  // namespace lab
