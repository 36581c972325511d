#include <doctest/doctest.h>
#include <xgrad/autograd/ops.h>

#include <cmath>
#include <limits>

#include "csv.h"
#include "document.h"
#include "page.h"
#include "rules.h"
#include "training.h"

using namespace lab;

TEST_CASE("Numbers for people") {
  struct Case {
    double number;
    int digits;
    const char* text;
  };
  for (const Case& c : {Case{0.041234, 3, "0.0412"},
                        {123.4, 2, "123"},
                        {0, 3, "0"},
                        {-2.5, 2, "-2.5"},
                        {3.14159e-7, 3, "3.14 × 10⁻⁷"},
                        {2e6, 2, "2 × 10⁶"},
                        {-1e-8, 3, "-10⁻⁸"},
                        {0.1, 4, "0.1"},
                        {0.9999, 3, "1"},
                        {1234, 3, "1234"},
                        {99.96, 3, "100"},
                        {999999.7, 3, "10⁶"},
                        {NAN, 3, "-"},
                        {INFINITY, 3, "∞"}})
    CHECK(number_text(c.number, c.digits) == c.text);
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, NAN}) == 3);
  CHECK(std::isnan(median({})));
  CHECK(Cell::spread({0.3, 0.1, 0.2}).text == "0.2 (0.1 to 0.3)");
  CHECK(Cell::spread({0.3, 0.3}).text == "0.3");
  CHECK(rounded(1.2345e-7) == 1.23e-7);
}

TEST_CASE("Every number of a table and a figure is in its file") {
  const Section section = {
      .id = "s",
      .title = "S",
      .blocks = {
          Table{"t",
                "T",
                {"name", "loss", "time"},
                {{"a, \"b\"", Cell::spread({1, 3, 2}), Cell::measured(0.5)}, {"c", 0.25, Cell(NAN)}}},
          LineChart{.name = "l",
                    .title = "L",
                    .note = "",
                    .x = {"step"},
                    .y = {"loss"},
                    .lines = {{.label = "one", .x = {1, 2}, .y = {0.1, NAN}, .low = {0, 1}, .high = {2, 3}}},
                    .marks = {{"limit", 7, true}}},
          Choice{"c",
                 "Of",
                 {{"first",
                   {HeatMap{.name = "h",
                            .title = "H",
                            .note = "",
                            .x_label = "x",
                            .y_label = "y",
                            .x = {"1", "2"},
                            .y = {"3"},
                            .value_label = "v",
                            .values = {{5, 6}}}}}}},
          DotPlot{.name = "d", .title = "D", .note = "", .x = {"v"}, .groups = {{"g", "", {1, 2}}}},
      }};
  const std::vector<Csv> files = csv_files({section});
  REQUIRE(files.size() == 4);
  CHECK(files[0].name == "s-t.csv");
  CHECK(files[0].lines == "name,loss,loss: least,loss: most,time\n\"a, \"\"b\"\"\",2,1,3,0.5\nc,0.25,,,\n");
  CHECK(files[1].lines == "line,step,loss,least,most\none,1,0.1,0,2\none,2,,1,3\nlimit,,7,,\n");
  CHECK(files[2].lines == "x,y,v\n1,3,5\n2,3,6\n");
  CHECK(files[3].lines == "group,run,v\ng,1,1\ng,2,2\n");

  const Section twice = {.id = "s", .title = "S", .blocks = {Table{"t", "", {}, {}}, Table{"t", "", {}, {}}}};
  CHECK_THROWS_WITH(csv_files({twice}), "section s: the name \"t\" is empty or comes twice");
}

TEST_CASE("Text cannot become markup") {
  const Section section = {
      .id = "s",
      .title = "<S>",
      .blocks = {Text{"a < b & c"},
                 LineChart{.name = "l", .title = "</script>", .note = "", .x = {"<x>"}, .y = {"y"}, .lines = {}}}};
  const std::string html = page({"Lab", "", "csv"}, {section});
  CHECK(html.find("a &lt; b &amp; c") != std::string::npos);
  CHECK(html.find("<S>") == std::string::npos);
  CHECK(html.find("<x>") == std::string::npos);
  CHECK(html.find("\\u003c/script>") != std::string::npos);
}

TEST_CASE("A cell leads to a claim and back, and shows its verdict in its colour") {
  Cell name("1. Adam & co"), verdict("yes");
  name.link = "claim-1";
  verdict.badge = "yes";
  const Section section = {
      .id = "s",
      .title = "S",
      .blocks = {Table{"t", "T", {"claim", "verdict"}, {{name, verdict}}}, Claim{1, "Adam", Verdict::yes, "Here."}}};
  const std::string html = page({"Lab", "", "csv"}, {section});
  for (const char* part : {"<a href=\"#claim-1\">1. Adam &amp; co</a>", "<span class=\"verdict yes\">yes</span>",
                           "<h3 id=\"claim-1\">", "href=\"#s-claims\"", "id=\"s-claims\"", "href=\"#top\"",
                           "id=\"top\"", "numbers: <a href=\"csv/s-t.csv\">t.csv</a>"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
}

TEST_CASE("Cards and boxes") {
  const Section section = {.id = "s",
                           .title = "S",
                           .blocks = {Cards{{{.id = "adam",
                                              .name = "Adam",
                                              .formulas = {"m = β₁ m", "a < b"},
                                              .symbols = "m: mean",
                                              .words = "Divides.",
                                              .source = "2015"}}},
                                      Box{"Think about it", "Why?"}}};
  CHECK(csv_files({section}).empty());
  const std::string html = page({"Lab", "", "csv"}, {section});
  for (const char* part : {"var(--adam,", "m = β₁ m\na &lt; b", "m: mean", "Divides.", "2015",
                           "<aside class=\"box\"><h4>Think about it</h4><p>Why?</p></aside>"})
    CHECK_MESSAGE(html.find(part) != std::string::npos, part);
}

TEST_CASE("Each rule of the lab is an optimizer that takes its settings") {
  for (const Rule& rule : rules()) {
    CAPTURE(rule.id);
    const xgrad::Variable x(xgrad::Tensor({1, -2}), true);
    const auto optimizer = rule.make({{"x", x}}, {.lr = 0.25});
    CHECK(optimizer->lr() == 0.25);
    xgrad::sum(x).backward();
    optimizer->step();
    CHECK(x.value().data()[0] < 1);
  }
  CHECK_THROWS_WITH(rule("adamm"), "there is no optimizer \"adamm\"");
}
