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
  return {{"kind", "landscape"},           {"x_label", map.x_label},
          {"y_label", map.y_label},        {"range", numbers({map.left, map.right, map.bottom, map.top})},
          {"columns", map.columns},        {"values", numbers(map.values)},
          {"log", map.logarithmic},        {"paths", paths},
          {"value_label", map.value_label}};
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
    std::size_t count = 0;
    const auto flush = [&] {
      if (count > 0) text += tag("div", figures, message("class=\"figures of-", count, "\"")) + "\n";
      figures.clear();
      count = 0;
    };
    for (const Block& block : blocks) {  // figures that follow each other stand side by side
      const std::string written = std::visit(*this, block);
      if (written.starts_with("<figure")) {
        figures += written;
        ++count;
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
  std::string operator()(const Cards& cards) {
    std::string text;
    for (const Card& card : cards.cards) {
      std::string formulas;
      for (const std::string& line : card.formulas) formulas += escaped(line) + "\n";
      text += tag("article",
                  tag("h4", escaped(card.name)) + tag("pre", formulas) + paragraph(card.symbols, "symbols") +
                      paragraph(card.words, "") + paragraph(card.source, "source"),
                  message("class=\"card\" style=\"border-top-color: var(--", escaped(card.id), ", var(--soft))\""));
    }
    return tag("div", text, "class=\"cards\"") + "\n";
  }
  std::string operator()(const Box& box) {
    return tag("aside", tag("h4", escaped(box.title)) + tag("p", escaped(box.words)), "class=\"box\"") + "\n";
  }
  std::string operator()(const Claim& claim) {
    return tag("h3", message(claim.number, ". ", escaped(claim.claim)), message("id=\"claim-", claim.number, "\"")) +
           "\n" +
           tag("p", badge(word(claim.verdict), word(claim.verdict)) + " " + escaped(claim.words),
               message("class=\"claim\"", claim.measured ? " data-measured" : "")) +
           "\n" +
           tag("p", tag("a", "back to the list", message("href=\"#", section_.id, "-claims\"")), "class=\"back\"") +
           "\n";
  }

  // The numbers of a section's claims, in the colours of their verdicts.
  std::string claims() const {
    std::string list;
    for (const Block& block : section_.blocks) {
      const Claim* claim = std::get_if<Claim>(&block);
      if (!claim) continue;
      const std::string words = escaped(message(claim->claim, ": ", word(claim->verdict)));
      const std::string link = tag("a", message(claim->number),
                                   message("class=\"", word(claim->verdict), "\" href=\"#claim-", claim->number,
                                           "\" title=\"", words, "\" aria-label=\"", claim->number, ". ", words, "\""));
      list += tag("li", claim->measured ? tag("p", link, "data-measured") : link);
    }
    if (list.empty()) return "";
    return message("<div id=\"", section_.id, "-claims\"></div>") +
           tag("nav", tag("span", "Claims") + tag("ol", list), "class=\"claims\" aria-label=\"Claims\"") + "\n";
  }

  std::string operator()(const Table& table) {
    std::string head, rows;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const bool words = !table.rows.empty() && table.rows[0].at(c).numbers.empty();
      head +=
          tag("th", escaped(table.columns[c]), message("scope=\"col\"", classes(words, table.columns[c].size() > 20)));
    }
    for (const auto& row : table.rows) {
      std::string cells;
      for (const Cell& cell : row) {
        const bool first = cells.empty();
        cells += tag(first ? "th" : "td", content(cell),
                     message(first ? "scope=\"row\"" : "", classes(cell.numbers.empty(), cell.text.size() > 44),
                             cell.is_measured ? " data-measured" : ""));
      }
      rows += tag("tr", cells) + "\n";
    }
    const std::string caption = tag("caption", escaped(table.caption) + " " + numbers_of({table.name}));
    const std::string scroll =
        tag("div", tag("table", caption + tag("thead", tag("tr", head)) + tag("tbody", "\n" + rows)),
            message("class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", escaped(table.caption), "\""));
    return tag("div", scroll, "class=\"table\"") + "\n";
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
    std::vector<std::string> names;
    for (const Csv& file : custom.files) names.push_back(file.name);
    return tag("div", figure_parts(custom.name, custom.title, custom.note, spec, numbers_of(names)),
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
  static std::string paragraph(const std::string& words, const std::string& kind) {
    if (words.empty()) return "";
    return tag("p", escaped(words), kind.empty() ? "" : "class=\"" + kind + "\"");
  }
  static std::string badge(const std::string& words, const std::string& kind) {
    return tag("span", escaped(words), "class=\"verdict " + escaped(kind) + "\"");
  }
  // A long text gets a width to wrap in, so that a row is not as high as its narrowest column is long.
  static std::string classes(bool words, bool is_long) {
    if (!words && !is_long) return "";
    return message(" class=\"", words ? "words" : "", is_long ? " long" : "", "\"");
  }
  static std::string content(const Cell& cell) {
    const std::string text = cell.badge.empty() ? escaped(cell.text) : badge(cell.text, cell.badge);
    return cell.link.empty() ? text : tag("a", text, "href=\"#" + escaped(cell.link) + "\"");
  }
  // "numbers: results.csv, ways.csv"
  std::string numbers_of(const std::vector<std::string>& names) const {
    std::string links;
    for (const std::string& name : names) {
      const std::string file = csv_name(section_, name);
      links += (links.empty() ? "numbers: " : ", ") +
               tag("a", escaped(name) + ".csv", message("href=\"", escaped(title_.numbers), "/", file, "\""));
    }
    return links.empty() ? "" : tag("span", links, "class=\"csv\"");
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
    return tag("figure", figure_parts(name, title, note, std::move(spec), numbers_of({name})),
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
    Writer writer(title, section);
    text += tag("section",
                tag("h2", escaped(section.title)) + "\n" + writer.claims() + writer.all(section.blocks) +
                    tag("p", tag("a", "back to the top", "href=\"#top\""), "class=\"back\""),
                message("id=\"", section.id, "\"")) +
            "\n";
  }
  const std::string head =
      "<meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">" +
      tag("title", escaped(title.heading)) + "<link rel=\"icon\" href=\"data:,\">" + tag("style", style_sheet);
  const std::string body =
      "<a class=\"skip\" href=\"#main\">To the content</a>" +
      tag("header",
          tag("h1", escaped(title.heading)) + tag("p", escaped(title.introduction)) +
              tag("nav", tag("ol", links), "aria-label=\"Sections\""),
          "id=\"top\"") +
      tag("noscript", tag("p", "The figures need JavaScript. All their numbers are in the CSV files.")) +
      tag("main", "\n" + text, "id=\"main\"") + tag("script", page_script);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n" + tag("head", head) + "\n" + tag("body", body) + "\n</html>\n";
}

}  // namespace lab
