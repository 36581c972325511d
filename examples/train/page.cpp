#include "page.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

#include "plot.h"
#include "png_file.h"
#include "report.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message;

// In the dark the plot is inverted and its hues turned back. Shades of cells are colours that no run has. On a phone
// the mistakes are two rows to be pushed aside.
constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1c2126; --soft: #59626b; --line: #d9dee3; --paper: #fff; --right: 110 120 130;
  --wrong: 240 205 0; --invert: none; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ea; --soft: #9ba5ae; --line: #363d44; --paper: #14171a; --right: 140 150 160; --wrong: 190 150 0;
    --invert: invert(.88) hue-rotate(180deg); } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "DejaVu Sans", Arial, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; margin: 0; } h3 { font-size: 1rem; margin: 0; }
p { margin: .3rem 0 .8rem; overflow-wrap: anywhere; } .soft, figcaption, th { color: var(--soft); }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: 1rem; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem 2.5rem; margin-top: 1rem; }
.plot { filter: var(--invert); } .plot svg { width: 100%; height: auto; } .line svg { filter: var(--invert); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th { font-weight: 500; }
.runs { font-size: clamp(11px, 2.9vw, 15px); } .runs td { white-space: nowrap; }
.runs th, .runs td { padding: .3rem clamp(.2rem, 1vw, .7rem); text-align: right; border-bottom: 1px solid var(--line); }
.runs th:nth-child(2), .runs td:nth-child(2) { text-align: left; padding-left: 0; } .best { font-weight: 700; }
.matrix { width: 100%; table-layout: fixed; font-size: clamp(9.5px, 2.75vw, 13px); }
.matrix th, .matrix td { padding: .32em 0; text-align: center; } .matrix td { border: 1px solid var(--line); }
.matrix .share { border: 0; color: var(--soft); } 
.matrix th:first-child { width: 5.3em; } .matrix th:last-child { width: 3.5em; }
.right { background: rgb(var(--right) / var(--a)); } .wrong { background: rgb(var(--wrong) / var(--a)); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.2rem, 1fr)); gap: .8rem .6rem; }
figure { margin: 0; text-align: center; } figcaption { font-size: .8rem; line-height: 1.3; } b { color: var(--ink); }
.gallery img { width: 100%; image-rendering: pixelated; border-radius: 4px; display: block; margin-bottom: .2rem; }
@media (max-width: 30rem) {
  .gallery { grid-template: auto auto / none; grid-auto-flow: column; grid-auto-columns: 4.7rem; overflow-x: auto; }
  .runs { font-size: 10px; } .runs td { white-space: normal; } .runs th, .runs td { padding: .3rem .12rem; }
  .runs .line svg { width: 12px; } }
)";

std::string tag(const std::string& name, const std::string& content, const std::string& attributes = "") {
  return message("<", name, attributes.empty() ? "" : " ", attributes, ">", content, "</", name, ">");
}

std::string results(const std::vector<Run>& runs, std::size_t epochs) {
  const std::vector<Row> all = rows(runs, epochs);
  std::string text;
  for (std::size_t r = 0; r < all.size(); ++r) {
    std::string line = r == 0 ? tag("th", "") : tag("td", swatch(r - 1), "class=\"line\"");
    for (const std::string& cell : all[r].cells) line += tag(r == 0 ? "th" : "td", escaped(cell));
    text += tag("tr", line, all[r].best ? "class=\"best\"" : "") + "\n";
  }
  return tag("div", tag("table", text, "class=\"runs\""), "class=\"scroll\"");
}

std::string share(std::int64_t part, std::int64_t whole) {
  const double value = static_cast<double>(part) / static_cast<double>(whole);
  return tag("td", whole == 0 ? "-" : fixed(100 * value, 1), "class=\"share\"");
}

// Right answers are shaded by their share of the row, mistakes by their share of the most frequent one.
std::string cell(const Confusion& pair, std::int64_t row_sum, std::int64_t greatest_mistake) {
  if (pair.count == 0) return tag("td", "");
  const bool right = pair.label == pair.prediction;
  const double strength = static_cast<double>(pair.count) / static_cast<double>(right ? row_sum : greatest_mistake);
  const std::string shade = fixed(right ? 0.45 * strength : 0.7 * std::sqrt(strength), 2);
  return tag("td", std::to_string(pair.count),
             message("class=\"", right ? "right" : "wrong", "\" style=\"--a: ", shade, "\""));
}

std::string confusion_matrix(const Evaluation& test, const std::vector<std::string>& class_names) {
  const std::size_t classes = class_names.size();
  const auto count = [&test](std::size_t label, std::size_t prediction) { return test.confusion(label, prediction); };
  const std::vector<Confusion> worst = worst_confusions(test.confusion, 1);

  std::string head = tag("th", ""), text, foot = tag("th", "precision");
  for (const std::string& name : class_names) head += tag("th", escaped(name));
  for (std::size_t i = 0; i < classes; ++i) {
    std::int64_t row_sum = 0, column_sum = 0;
    for (std::size_t j = 0; j < classes; ++j) row_sum += count(i, j), column_sum += count(j, i);
    std::string line = tag("th", escaped(class_names[i]));
    for (std::size_t j = 0; j < classes; ++j)
      line += cell({i, j, count(i, j)}, row_sum, worst.empty() ? 0 : worst[0].count);
    text += tag("tr", line + share(count(i, i), row_sum)) + "\n";
    foot += share(count(i, i), column_sum);
  }
  const std::string all = tag("tr", head + tag("th", "recall")) + "\n" + text + tag("tr", foot);
  return tag("h3", "Confusion matrix") +
         tag("p", "Rows are the labels, columns what they were read as; recall and precision in percent.",
             "class=\"soft\"") +
         tag("div", tag("table", all, "class=\"matrix\""), "class=\"scroll\"");
}

std::string mistakes(const Evaluation& test, const xgrad::datasets::Dataset& data) {
  const std::size_t height = data.image_shape()[1], width = data.image_shape()[2];
  const std::size_t pixels = data.images().size() / data.size();
  std::string text;
  for (const Mistake& mistake : test.mistakes) {
    // The first channel is enough to see what it was.
    const std::string picture = base64(png(data.images().subspan(mistake.sample * pixels, height * width), width));
    const std::string label = tag("b", escaped(data.class_names()[mistake.label])),
                      prediction = tag("b", escaped(data.class_names()[mistake.prediction]));
    text += tag("figure",
                message("<img alt=\"test image ", mistake.sample, "\" src=\"data:image/png;base64,", picture, "\"/>",
                        tag("figcaption",
                            message(label, " read as ", prediction, "<br/>", percent(mistake.probability, 1))))) +
            "\n";
  }
  return tag("h3", "Surest mistakes") +
         tag("p", text.empty() ? "There are none." : "The network's probability for the wrong class, worst first.",
             "class=\"soft\"") +
         tag("div", text, "class=\"gallery\"");
}

std::string section(const Run& run, std::size_t index, const Samples& data) {
  std::string text = tag("h2", swatch(index) + " " + escaped(run.choice.label), "class=\"line\"");
  if (!run.failure.empty())
    text += tag("p", "Stopped: " + escaped(run.failure));
  else if (!run.test)
    text += tag("p", "Stopped before the end of the first epoch.");
  else
    text += tag("div",
                tag("div", confusion_matrix(*run.test, data.class_names())) +
                    (data.images() ? tag("div", mistakes(*run.test, *data.images())) : ""),
                "class=\"sides\"");
  return tag("section", text) + "\n";
}

}  // namespace

std::string page(const std::vector<Run>& runs, const Task& task, const std::string& caption) {
  const Panels plot = panels(runs, task.epochs, task.steps_per_epoch());
  std::string text = tag("h1", "Training report") + tag("p", escaped(caption), "class=\"soft\"") +
                     results(runs, task.epochs) +
                     tag("div", tag("div", plot.loss, "class=\"plot\"") + tag("div", plot.accuracy, "class=\"plot\""),
                         "class=\"sides\"");
  for (std::size_t i = 0; i < runs.size(); ++i) text += section(runs[i], i, task.data.test);
  return "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head><meta charset=\"utf-8\"/>"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>Training report</title>" +
         tag("style", style) + "</head>\n" + tag("body", text) + "\n</html>\n";
}

}  // namespace train
