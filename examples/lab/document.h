// What the lab has to show: sections of text, tables and figures. page.h writes them as HTML, csv.h their numbers.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lab {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();  ///< Where there is no number.

/// With so many significant digits but without zeros at their end: "0.2", "1.2 × 10⁻⁸"; "-" for NaN. The page's script
/// writes numbers in the same way.
std::string number_text(double number, int digits = 3);
/// To so many significant digits.
double rounded(double number, int digits = 3);
/// Of nothing, NaN. A NaN among the values counts as larger than all others.
double median(std::vector<double> values);

/// What stands in a table: a number (NaN is written as "-") or text.
struct Cell {
  Cell(std::string words) : text(std::move(words)) {}
  Cell(const char* words) : text(words) {}
  /// Shown with so many significant digits; the CSV file has all of them.
  Cell(double number, int digits = 3);
  static Cell integer(double number);
  /// A time, or what was made of times: it differs from run to run.
  static Cell measured(double number, int digits = 3);
  /// "0.0412 (0.0398 to 0.0450)": the median with the least and the largest. Three columns in the CSV file.
  static Cell spread(std::vector<double> values, int digits = 3);

  std::string text;
  std::vector<double> numbers = {};
  bool is_measured = false;
  std::string link = {};   ///< an id in the page, such as "claim-3": the text leads there
  std::string badge = {};  ///< "yes", "partly", "undecided" or "no": the text stands in a badge of that colour
};

/// `name` is unique in its section, and part of the name of its CSV file: lower case, digits and '-'.
struct Table {
  std::string name, caption;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  ///< as many cells as columns; the first one names the row
};

/// The colour of a line is that of its optimizer: Rule::id. Anything else gets a neutral colour of its own.
struct Line {
  std::string label, color = {};
  std::vector<double> x, y;                 ///< a y that is not finite is a gap
  std::vector<double> low = {}, high = {};  ///< empty, or a band around y, such as the least and the largest seed
  bool dashed = false;
};

struct Axis {
  std::string label;  ///< with its unit
  bool logarithmic = false;
  std::optional<double> low = {}, high = {};  ///< else of the values; what is beyond is cut off
};

/// A vertical or a horizontal line with a word to it.
struct Mark {
  std::string label;
  double at;
  bool horizontal = false;
};

/// Lines over a common axis. Readers can hide each of them, and read values at the pointer.
struct LineChart {
  std::string name, title, note;  ///< the note says what is seen, under the figure: it may be empty
  Axis x, y;
  std::vector<Line> lines;
  std::vector<Mark> marks = {};
};

/// A dot for each seed, in a row for each group, with a tick at the median.
struct DotPlot {
  struct Group {
    std::string label, color = {};
    std::vector<double> values;
  };
  std::string name, title, note;
  Axis x;
  std::vector<Group> groups;
  std::vector<Mark> marks = {};
  bool measured = false;  ///< the values are times
};

/// A cell for each pair of settings, with its value in it.
struct HeatMap {
  std::string name, title, note;
  std::string x_label, y_label;
  std::vector<std::string> x, y;
  std::string value_label;
  std::vector<std::vector<double>> values;  ///< values[y][x]; NaN is "diverged"
  bool logarithmic = false;
  bool low_is_good = true;
  std::optional<double> low = {}, high = {};  ///< the values from which, and up to which colours differ; else all
};

/// A function of two numbers as bands between contours, with paths over it.
struct Landscape {
  struct Path {
    std::string label, color = {};
    std::vector<double> x, y;
  };
  std::string name, title, note;
  std::string x_label, y_label;
  double left, right, bottom, top;
  std::size_t columns, rows;
  std::vector<double> values;  ///< rows x columns, the bottom row first; sampled at the corners of a grid
  bool logarithmic = true;     ///< bands are equally wide in the logarithm of value - least value
  std::vector<Path> paths = {};
  std::string value_label = {};  ///< at the bar of its colours; else "value"
};

struct Text {
  std::string words;  ///< a paragraph; plain text
};
struct Heading {
  std::string words;
};

/// A rule on one card: its formulas, what the symbols are, what it does in one sentence, and where it is from.
struct Card {
  std::string id;  ///< the colour: Rule::id
  std::string name;
  std::vector<std::string> formulas;  ///< one a line
  std::string symbols, words, source;
};
/// Stand side by side where there is room.
struct Cards {
  std::vector<Card> cards;
};
/// Words set apart: a question to think about, or what to remember.
struct Box {
  std::string title, words;
};

enum class Verdict { yes, partly, undecided, no };
const char* word(Verdict verdict);  ///< "partly"
/// Heads an experiment about a claim. `words` say which part of it holds, or when, or why not.
struct Claim {
  std::size_t number;
  std::string claim;
  Verdict verdict;
  std::string words;
  bool measured = false;  ///< the verdict rests on times
};

struct Choice;
/// The contents of a CSV file.
struct Csv {
  std::string name, lines;
};
/// A figure that the page has a script of its own for, by its kind, with the numbers that it needs as JSON.
struct Custom {
  std::string name, kind, title, note, json;
  std::vector<Csv> files;  ///< the same numbers
};

using Block =
    std::variant<Text, Heading, Cards, Box, Claim, Table, LineChart, DotPlot, HeatMap, Landscape, Custom, Choice>;
using Blocks = std::vector<Block>;

/// Of several things one is seen, which the reader chooses by name.
struct Choice {
  struct Option {
    std::string label;
    std::vector<Block> blocks;
  };
  std::string name, label;
  std::vector<Option> options;
};

struct Section {
  std::string id, title;
  std::vector<Block> blocks;
};

}  // namespace lab
