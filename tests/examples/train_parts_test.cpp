// The parts of examples/train.
#include <axis.h>
#include <doctest/doctest.h>
#include <options.h>
#include <plot.h>
#include <progress.h>
#include <report.h>
#include <text.h>

#include <algorithm>
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

// Two runs of two epochs of two steps each; the first one is better.
std::vector<Run> two_runs() {
  std::vector<Run> runs;
  for (const Choice& choice : parsed({"--optimizer", "adam,sgd"}).choices) {
    const double worse = runs.empty() ? 0 : 0.25;
    Run run{.choice = choice};
    run.points = {
        {1, 1, 2.0, {}, 0.5}, {1, 2, 1.0, 0.5 - worse, 1}, {2, 3, 0.5, {}, 1.5}, {2, 4, 0.25, 0.75 - worse, 2}};
    run.loss = 0.375, run.accuracy = 0.75 - worse, run.seconds = 2, run.epochs = 2, run.state_bytes = 2048;
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
      {{"--csv", "--plot"}, "--csv needs a value, got the option --plot"},
      {{"--csv", "out", "--plot", "./out"}, "the same file"},
  };
  for (const auto& refused : cases) {
    const std::string text = refusal(refused.first);
    CHECK_MESSAGE(text.find(refused.second) != text.npos, text, " lacks ", refused.second);
    CHECK(occurrences(text, "\n") == 0);
  }
}

TEST_CASE("the help names every option, in 80 columns") {
  const std::string help = parsed({"--help"}).help;
  for (const char* option : {"--data", "--samples", "--optimizer", "--lr", "--weight-decay", "--hidden", "--epochs",
                             "--batch-size", "--seed", "--threads", "--plot", "--csv", "--help"})
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
