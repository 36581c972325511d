// What examples/train makes of its runs.
#include <doctest/doctest.h>
#include <evaluation.h>
#include <page.h>
#include <plot.h>
#include <png_file.h>
#include <report.h>
#include <zlib.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace cli;
using namespace train;

namespace {

std::size_t occurrences(const std::string& text, const std::string& piece) {
  std::size_t count = 0;
  for (std::size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

// Six images of one row of two pixels, in three classes.
xgrad::datasets::Dataset six_images() {
  return {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {1, 1, 2}, {0, 0, 1, 1, 2, 2}, {"a", "b", "<c>"}};
}

// Says the same of any six images.
struct Oracle : xgrad::nn::Module {
  explicit Oracle(xgrad::Tensor table) : scores(std::move(table)) {}
  xgrad::Variable forward(const xgrad::Variable& x) override {
    CHECK_FALSE(training());
    CHECK(x.shape() == xgrad::Shape{6, 1, 1, 2});
    return xgrad::Variable(scores);
  }
  xgrad::Tensor scores;
};

const xgrad::Tensor six_scores({{9, 0, 0}, {0, 2, 0}, {0, 5, 0}, {0, 0, 4}, {0, 6, 0}, {0, 6, 0}});

// Two runs of two epochs of two steps each; the first one is better.
std::vector<Run> two_runs() {
  std::vector<Run> runs;
  for (const OptimizerKind* kind : {&optimizer_kinds().front(), &optimizer_kinds().back()}) {
    const double worse = runs.empty() ? 0 : 0.25;
    Run run{.choice = {kind, kind->lr, 0, std::string(kind->name)}};
    run.points = {
        {1, 1, 2.0, {}, 0.5}, {1, 2, 1.0, 0.5 - worse, 1}, {2, 3, 0.5, {}, 1.5}, {2, 4, 0.25, 0.75 - worse, 2}};
    Oracle oracle(six_scores);
    run.test = evaluate(oracle, six_images());
    run.test->accuracy = 0.75 - worse;
    run.loss = 0.375, run.seconds = 2, run.epochs = 2, run.state_bytes = 2048;
    runs.push_back(run);
  }
  return runs;
}

}  // namespace

TEST_CASE("the table marks the best run, and says how far each came") {
  std::vector<Run> runs = two_runs();
  std::string text = table(runs, 2, false);
  CHECK(text.find("adam       0.001       2      0.3750        75.00 % *     2.00  2.0 KiB\n") != text.npos);
  CHECK(occurrences(text, " *") == 1);
  CHECK(text.ends_with("\n* the best test accuracy\n"));
  CHECK(occurrences(text, "\x1b") == 0);
  CHECK(occurrences(table(runs, 2, true), "\x1b[1;32madam") == 1);

  runs[0].failure = "a loss is not finite", runs[0].epochs = 1.5;
  text = table(runs, 2, false);
  CHECK(text.find("1.5 of 2    diverged              - ") != text.npos);
  CHECK(text.find("50.00 % *") != text.npos);
  CHECK(occurrences(table({runs[1]}, 2, false), "*") == 0);
  CHECK(occurrences(table({}, 2, false), "\n") == 1);
}

TEST_CASE("with validation there is a column more") {
  std::vector<Run> runs = two_runs();
  runs[1].validation_accuracy = runs[1].points[3].validation_accuracy = 0.375;
  const std::string text = table(runs, 2, false), numbers = csv(runs);
  CHECK(text.find("train loss  validation  test accuracy  ") != text.npos);
  CHECK(text.find("     -        75.00 % *") != text.npos);
  CHECK(text.find("37.50 %        50.00 %  ") != text.npos);
  CHECK(numbers.starts_with(
      "optimizer,epoch,step,train_loss,test_accuracy,seconds,validation_accuracy\nadam,1,1,2,,0.5000,\n"));
  CHECK(numbers.ends_with("sgd,2,4,0.25,0.5,2.0000,0.375\n"));
}

TEST_CASE("the most frequent confusions, a line a run") {
  std::vector<Run> runs = two_runs();
  runs.resize(1);
  CHECK(confusions(runs, {"a", "b", "c"}) ==
        "\nadam: c read as b: 2 times, a read as b: 1 time, b read as c: 1 time\n");
  runs[0].test->confusion = {{1, 0}, {0, 1}};
  CHECK(confusions(runs, {"a", "b"}) == "\nadam: no mistakes\n");
  runs[0].failure = "a loss is not finite";
  CHECK(confusions(runs, {"a", "b"}).empty());
}

TEST_CASE("an evaluation counts every pair, and keeps the surest mistakes, worst first") {
  Oracle oracle(six_scores);
  const Evaluation result = evaluate(oracle, six_images());
  CHECK(oracle.training());
  CHECK(result.accuracy == 1.0 / 3);
  CHECK(result.confusion == xgrad::IndexTensor({{1, 1, 0}, {0, 1, 1}, {0, 2, 0}}));
  const std::vector<std::size_t> samples = {4, 5, 3, 1}, predictions = {1, 1, 2, 1};
  REQUIRE(result.mistakes.size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CHECK(result.mistakes[i].sample == samples[i]);
    CHECK(result.mistakes[i].label == samples[i] / 2);
    CHECK(result.mistakes[i].prediction == predictions[i]);
  }
  CHECK(result.mistakes[3].probability == doctest::Approx(std::exp(2) / (std::exp(2) + 2)));
  oracle.scores(0, 0) = std::numeric_limits<xgrad::Scalar>::quiet_NaN();
  CHECK_THROWS_WITH(evaluate(oracle, six_images()), "[evaluation] a score is not finite");
}

TEST_CASE("CSV has a row a point") {
  const std::string text = csv(two_runs());
  CHECK(text.starts_with(
      "optimizer,epoch,step,train_loss,test_accuracy,seconds\nadam,1,1,2,,0.5000\nadam,1,2,1,0.5,1.0000\n"));
  CHECK(occurrences(text, "\n") == 9);
}

TEST_CASE("the plot has a curve for every run, and holds any caption") {
  const std::vector<Run> runs = two_runs();
  const std::string text = svg(runs, "<a> & \n b", 2, 2);
  CHECK(text.find("&lt;a&gt; &amp; \\x0a b") != text.npos);
  CHECK(occurrences(text, "<polyline") == 2 * runs.size());
  CHECK(occurrences(svg({runs[0]}, "", 2, 2), "<polyline") == 3);  // its losses as they were, too
  CHECK(occurrences(text, "<circle") == 4);
  CHECK(occurrences(text, "nan") == 0);
  CHECK(occurrences(text, "inf") == 0);
  CHECK(svg({}, "", 1, 1).ends_with("</svg>\n"));
}

TEST_CASE("base64, as in RFC 4648") {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe\xfd", "//79"}};
  for (const auto& word : cases) CHECK(base64(word.first) == word.second);
}

TEST_CASE("a PNG file holds its pixels") {
  const std::uint8_t pixels[] = {0, 128, 255, 1, 2, 3};
  const std::string file = png(pixels, 3);
  REQUIRE(file.size() > 8 + 25 + 12 + 12);
  const auto bytes = [&file](std::size_t from, std::size_t size) { return file.substr(from, size); };
  CHECK(bytes(0, 8) == "\x89PNG\r\n\x1a\n");
  CHECK(bytes(8, 21) == std::string("\0\0\0\rIHDR\0\0\0\3\0\0\0\2\x8\0\0\0\0", 21));
  CHECK(bytes(file.size() - 12, 12) == std::string("\0\0\0\0IEND\xae\x42\x60\x82", 12));
  CHECK(bytes(37, 4) == "IDAT");
  std::string lines(100, '?');
  uLongf size = lines.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(lines.data()), &size, reinterpret_cast<const Bytef*>(&file[41]),
                     static_cast<uLong>(file.size() - 41 - 16)) == Z_OK);
  CHECK(lines.substr(0, size) == std::string("\0\0\x80\xff\0\1\2\3", 8));
}

TEST_CASE("the page has the table, both panels, and each run's confusions and mistakes") {
  std::vector<Run> runs = two_runs();
  const Task task{.data = {six_images(), six_images()},
                  .validation = {},
                  .augment = false,
                  .architecture = {&model_kinds().front(), {}, {1, 1, 2}, 3},
                  .epochs = 2,
                  .batch_size = 3,
                  .schedule = &schedule_kinds().front(),
                  .seed = 1};
  std::string text = page(runs, task, "a & <b>");
  CHECK(text.find("a &amp; &lt;b&gt;") != text.npos);
  CHECK(occurrences(text, "<polyline") == 2 * runs.size());
  CHECK(occurrences(text, "75.00 %") == 1);
  CHECK(occurrences(text, "<table") == 3);
  CHECK(occurrences(text, "<figure>") == 8);
  CHECK(occurrences(text, "<b>&lt;c&gt;</b> read as <b>b</b>") == 4);
  CHECK(occurrences(text, ">2</td>") == 2 + 2 * 1);                // the epochs, and the worst confusion
  CHECK(occurrences(text, "<td class=\"share\">50.0</td>") == 4);  // the recall of a and b
  CHECK(occurrences(text, "<td class=\"share\">100.0</td><td class=\"share\">25.0</td>") == 2);  // their precision
  for (const char* absent : {"nan", "inf", "<script", "<link", "url(", "src=\"http"})
    CHECK_MESSAGE(occurrences(text, absent) == 0, absent);
  runs[0].test.reset(), runs[1].failure = "a < b";
  text = page(runs, task, "");
  CHECK(occurrences(text, "<figure>") == 0);
  CHECK(text.find("Stopped: a &lt; b") != text.npos);
  CHECK(text.find("before the end of the first epoch") != text.npos);
}
