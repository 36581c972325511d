// The parts of examples/train.
#include <axis.h>
#include <doctest/doctest.h>
#include <evaluation.h>
#include <options.h>
#include <page.h>
#include <plot.h>
#include <png.h>
#include <progress.h>
#include <report.h>
#include <text.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace train;

namespace {

Options parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "train");
  return parse(static_cast<int>(arguments.size()), arguments.data());
}

std::string refusal(const std::vector<const char*>& arguments) {
  try {
    parsed(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

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
  for (const Choice& choice : parsed({"--optimizer", "adam,sgd"}).choices) {
    const double worse = runs.empty() ? 0 : 0.25;
    Run run{.choice = choice};
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

TEST_CASE("numbers are read whole or refused") {
  CHECK(parse_number("--x", "1e-3") == 1e-3);
  CHECK(parse_count("--x", "64", 1, 64) == 64);
  for (const char* text : {"", "x", "1e-3x", "nan", "inf", "1e999", "0x10", " 1", "1 "}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_number("--x", text), UsageError);
  }
  for (const char* text : {"", "-", "-1", "0", "65", "2.5", "1e1", "99999999999999999999999"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_count("--x", text, 1, 64), UsageError);
  }
}

TEST_CASE("lists are split at commas") {
  CHECK(split("") == std::vector<std::string>{});
  CHECK(split("a") == std::vector<std::string>{"a"});
  CHECK(split("a,b,") == std::vector<std::string>{"a", "b", ""});
}

TEST_CASE("the nearest word") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("flaw", "lawn") == 2);
  const std::vector<std::string> names = {"adam", "adamax", "adamw", "rmsprop", "sgd"};
  const std::pair<const char*, const char*> cases[] = {
      {"adamx", "adamax"},    {"Adam", "adam"}, {"sdg", ""},        {"sgdd", "sgd"},
      {"rmsprob", "rmsprop"}, {"lion", ""},     {"rms", "rmsprop"}, {"", ""}};
  for (const auto& word : cases) {
    CAPTURE(word.first);
    CHECK(nearest(word.first, names) == word.second);
  }
}

TEST_CASE("numbers for people") {
  CHECK(grouped(7) == "7");
  CHECK(grouped(101770) == "101,770");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(bytes(0) == "0 B");
  CHECK(bytes(1023) == "1023 B");
  CHECK(bytes(62800) == "61.3 KiB");
  CHECK(bytes(814160) == "795 KiB");
  CHECK(bytes(std::size_t{3} << 30) == "3.0 GiB");
  CHECK(clock_time(7.4) == "0:07");
  CHECK(clock_time(3599.6) == "1:00:00");
  CHECK(loss_text(0.04123) == "0.0412");
  CHECK(loss_text(1.234e30) == "1.2e+30");
}

TEST_CASE("options have their defaults, and take their values") {
  const Options defaults = parsed({});
  CHECK(defaults.choices.size() == 2);
  CHECK(defaults.choices[1].label == "adamax");
  CHECK(defaults.choices[1].lr == 2e-3);
  CHECK_FALSE(defaults.plot);
  const Options options =
      parsed({"--optimizer=adam,adam,adamw", "--lr", "0.1,0.2,0.3", "--hidden", "64,32", "--epochs", "3",
              "--batch-size", "10", "--seed", "0", "--threads", "2", "--csv", "a", "--plot", "b"});
  CHECK(options.choices[0].label == "adam lr 0.1");
  CHECK(options.choices[1].lr == 0.2);
  CHECK(options.choices[2].label == "adamw");
  CHECK(options.choices[2].weight_decay == 1e-2);
  CHECK(options.hidden == std::vector<std::size_t>{64, 32});
  CHECK(options.epochs == 3);
  CHECK(options.batch_size == 10);
  CHECK(options.seed == 0);
  CHECK(options.threads == 2);
  CHECK(parsed({"--hidden", "none"}).hidden.empty());
  CHECK(parsed({"--weight-decay", "0"}).choices[0].weight_decay == 0);
  CHECK(parsed({"--lr", "0.5"}).choices[1].lr == 0.5);
  CHECK(defaults.model->name == "mlp");
  CHECK(defaults.schedule->name == "constant");
  CHECK_FALSE(defaults.validation);
  CHECK(parsed({"--schedule", "cosine"}).schedule->name == "cosine");
  CHECK(parsed({"--validation", "0.25"}).validation == 0.25);
  CHECK(parsed({"--report", "c"}).report == "c");
}

TEST_CASE("bad options are refused in one line that says what to do") {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--optimiser", "adam"}, "did you mean --optimizer?"},
      {{"--epoch=3"}, "unknown option --epoch; did you mean --epochs?"},
      {{"adamax"}, "unexpected argument adamax"},
      {{"--optimizer", "adamx"}, "did you mean adamax?"},
      {{"--optimizer", "lion"}, "there are adam, adamax, adamw, rmsprop, sgd"},
      {{"--optimizer", "adam,"}, "--optimizer"},
      {{"--optimizer", "adam,adam"}, "comes twice"},
      {{"--optimizer", "adam,sgd,adam", "--lr", "1,2,1"}, "comes twice"},
      {{"--optimizer", "adam", "--lr", "1,2"}, "2 rates for 1 optimizer;"},
      {{"--lr", "1e-3x"}, "did you mean 1e-3?"},
      {{"--lr", "0"}, "above 0"},
      {{"--lr", "-1"}, "above 0"},
      {{"--lr", "nan"}, "finite"},
      {{"--lr", "inf"}, "finite"},
      {{"--lr"}, "--lr needs a value"},
      {{"--lr", "1", "--lr", "2"}, "--lr is given more than once"},
      {{"--weight-decay", "-1"}, "at least 0"},
      {{"--epochs", "0"}, "from 1 to"},
      {{"--epochs", "-1"}, "got -1"},
      {{"--batch-size", "0"}, "from 1 to"},
      {{"--threads", "0"}, "from 1 to 1024"},
      {{"--threads", "100000"}, "from 1 to 1024"},
      {{"--hidden", "128,0"}, "--hidden"},
      {{"--hidden", ""}, "--hidden needs a value"},
      {{"--model", "mlpp"}, "--model: 'mlpp' is unknown; did you mean mlp?"},
      {{"--schedule", "cosin"}, "did you mean cosine?"},
      {{"--schedule", "step"}, "there are constant, linear, cosine"},
      {{"--validation", "0"}, "--validation: expected a share above 0 and below 1, got 0"},
      {{"--validation", "1"}, "got 1"},
      {{"--validation", "-0.1"}, "got -0.1"},
      {{"--validation", "nan"}, "finite"},
      {{"--csv", "--plot"}, "--csv needs a value, got the option --plot"},
      {{"--csv", "out", "--plot", "./out"}, "the same file"},
      {{"--report", "out", "--csv", "out"}, "--csv and --report are the same file, out"},
  };
  for (const auto& refused : cases) {
    const std::string text = refusal(refused.first);
    CHECK_MESSAGE(text.find(refused.second) != text.npos, text, " lacks ", refused.second);
    CHECK(occurrences(text, "\n") == 0);
  }
}

TEST_CASE("the help names every option, in 80 columns") {
  const std::string help = parsed({"--help"}).help;
  for (const char* option :
       {"--data", "--samples", "--optimizer", "--lr", "--weight-decay", "--hidden", "--epochs", "--batch-size",
        "--seed", "--threads", "--plot", "--csv", "--help", "--model", "--schedule", "--validation", "--report"})
    CHECK_MESSAGE(help.find(option) != help.npos, option);
  for (std::size_t begin = 0, end; (end = help.find('\n', begin)) != help.npos; begin = end + 1)
    CHECK(end - begin <= 80);
}

TEST_CASE("the progress line fits, and leaves out what matters least") {
  const Plan plan{2, 10, 938};
  const Status status{3, 512, 0.1234, 0.962};
  const auto line = [&](std::size_t width) { return progress_line("adamax", 2, plan, status, 65, width); };
  CHECK(line(80) == "adamax 2/2  epoch  3/10  step 512/938  loss 0.1234  accuracy 96.2 %  1:05 left");
  CHECK(line(70) == "adamax 2/2  epoch  3/10  loss 0.1234  accuracy 96.2 %  1:05 left");
  CHECK(line(60) == "adamax 2/2  epoch  3/10  loss 0.1234  1:05 left");
  CHECK(line(40) == "adamax 2/2  epoch  3/10  1:05 left");
  for (std::size_t width = 1; width < 200; ++width) CHECK(line(width).size() <= width);
  CHECK(line(120).find("[=================           ]") != std::string::npos);  // 12 of 20 epochs
}

TEST_CASE("axes have round numbers") {
  CHECK(nice_step(10, 5) == doctest::Approx(2));
  CHECK(nice_step(0.3, 5) == doctest::Approx(0.1));
  CHECK(nice_step(70, 7) == doctest::Approx(10));
  CHECK(tick_labels(exact_axis(0, 5, 5)) == std::vector<std::string>{"0", "1", "2", "3", "4", "5"});
  CHECK(tick_labels(linear_axis(96.2, 97.9, 5, 100)) ==
        std::vector<std::string>{"96.0", "96.5", "97.0", "97.5", "98.0"});
  CHECK(tick_labels(linear_axis(100, 100, 3, 100)) == std::vector<std::string>{"99.0", "99.5", "100.0"});
  CHECK(tick_labels(log_axis(0.03, 2.4, 9)) == std::vector<std::string>{"0.05", "0.1", "0.2", "0.5", "1", "2"});
  CHECK(tick_labels(log_axis(1e-9, 2, 9)).size() <= 9);
  CHECK(tick_labels(log_axis(1.1, 2.3, 9)).size() >= 3);
  const Axis axis = log_axis(0.01, 1, 9);
  CHECK(axis.position(0.1) == doctest::Approx(0.5));
  CHECK(axis.position(5) == 1);
}

TEST_CASE("the table marks the best run, and says how far each came") {
  std::vector<Run> runs = two_runs();
  std::string text = table(runs, 2, false);
  CHECK(text.find("adam       0.001       2      0.3750        75.00 % *     2.00  2.0 KiB\n") != text.npos);
  CHECK(occurrences(text, "*") == 1);
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

TEST_CASE("schedules begin low, reach the rate, and end near 0") {
  struct Case {
    std::string name;
    std::int64_t steps, count;
    double rate;
  };
  const Case cases[] = {
      {"constant", 100, 0, 1},  {"constant", 100, 99, 1},      {"linear", 100, 0, 0.1}, {"linear", 100, 5, 1},
      {"linear", 105, 55, 0.5}, {"linear", 100, 100, 0},       {"cosine", 100, 0, 0.1}, {"cosine", 100, 5, 1},
      {"cosine", 105, 55, 0.5}, {"cosine", 105, 80, 0.146447}, {"cosine", 100, 100, 0}, {"cosine", 1, 0, 0.1},
      {"cosine", 1, 1, 1}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.count);
    CHECK(parsed({"--schedule", c.name.c_str()}).schedule->make(c.steps)(1, c.count) == doctest::Approx(c.rate));
  }
}

TEST_CASE("a network follows the images and the classes") {
  const Architecture small{&model_kinds().front(), {5, 7}, {3, 2, 4}, 6};
  CHECK(small.name() == "24-5-7-6");
  CHECK(small.make().parameters().back().second.shape() == xgrad::Shape{6});
  CHECK(Architecture{&model_kinds().front(), {}, {1, 28, 28}, 10}.name() == "784-10");
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
  CHECK(text.find("&lt;a&gt; &amp;   b") != text.npos);
  CHECK(occurrences(text, "<polyline") == 3 * runs.size());
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
  const Task task{{six_images(), six_images()}, {}, {&model_kinds().front(), {}, {1, 1, 2}, 3}, 2, 3,
                  &schedule_kinds().front(),    1};
  std::string text = page(runs, task, "a & <b>");
  CHECK(text.find("a &amp; &lt;b&gt;") != text.npos);
  CHECK(occurrences(text, "<polyline") == 3 * runs.size());
  CHECK(occurrences(text, "75.00 %") == 1);
  CHECK(occurrences(text, "<table") == 3);
  CHECK(occurrences(text, "<figure>") == 8);
  CHECK(occurrences(text, "<b>&lt;c&gt;</b> read as <b>b</b>") == 4);
  CHECK(occurrences(text, ">2</td>") == 2 + 2 * 1);  // the epochs, and the worst confusion
  CHECK(occurrences(text, "<td class=\"share\">33.3</td>") == 0);
  CHECK(occurrences(text, "<td class=\"share\">50.0</td>") == 4);
  for (const char* absent : {"nan", "inf", "<script", "<link", "url(", "src=\"http"})
    CHECK_MESSAGE(occurrences(text, absent) == 0, absent);
  runs[0].test.reset(), runs[1].failure = "a < b";
  text = page(runs, task, "");
  CHECK(occurrences(text, "<figure>") == 0);
  CHECK(text.find("Stopped: a &lt; b") != text.npos);
  CHECK(text.find("before the end of the first epoch") != text.npos);
}
