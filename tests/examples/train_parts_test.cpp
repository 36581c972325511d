// The parts of examples/train that come before the training, and what is seen during it.
#include <axis.h>
#include <doctest/doctest.h>
#include <options.h>
#include <progress.h>
#include <text.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <string>
#include <vector>

using namespace cli;
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
  const std::pair<const char*, const char*> cases[] = {{"adamx", "adamax"}, {"Adam", "adam"},       {"sdg", ""},
                                                       {"sgdd", "sgd"},     {"rmsprob", "rmsprop"}, {"lion", ""},
                                                       {"stochastic", ""},  {"rms", "rmsprop"},     {"", ""}};
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

TEST_CASE("lines are broken between words") {
  CHECK(wrapped("one two three", 7) == "one two\nthree");
  CHECK(wrapped("one two three", 6) == "one\ntwo\nthree");
  CHECK(wrapped("longer words", 3) == "longer\nwords");
  CHECK(wrapped("as it is", 80) == "as it is");
  CHECK(wrapped("", 1).empty());
}

TEST_CASE("moments are for the optimizers that have them, and clipping is for all") {
  const std::vector<Choice> choices =
      parsed({"--optimizer", "adam,sgd,adagrad", "--momentum", "0.5", "--beta1", "0", "--beta2", "0.99"}).choices;
  CHECK(choices[0].beta1 == 0);
  CHECK(choices[0].beta2 == 0.99);
  CHECK_FALSE(choices[0].momentum);
  CHECK(choices[1].momentum == 0.5);
  CHECK_FALSE(choices[1].beta1);
  CHECK_FALSE(choices[2].momentum);
  CHECK_FALSE(parsed({}).choices[0].beta1);
  CHECK_FALSE(parsed({}).clip);
  CHECK(parsed({"--clip", "0.5"}).clip == 0.5);
}

TEST_CASE("optimizers step with the moments that they are given") {
  struct Case {
    std::string name;
    OptimizerSettings settings;
    double after_two_steps;  // from 0, with the gradient 1 and then 0
  };
  const Case cases[] = {{"sgd", {1, 0}, -1},
                        {"sgd", {1, 0, 0.5}, -1.5},
                        {"lion", {1, 0}, -2},
                        {"lion", {1, 0, {}, 0.0, 0.5}, -1},
                        {"adamax", {1, 0, {}, 0.0}, -1},
                        {"adamax", {1, 0, {}, 0.5, 0.5}, -1 - 0.25 / 0.75 / 0.5}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const xgrad::Variable x(xgrad::zeros({1}), true);
    for (const OptimizerKind& kind : optimizer_kinds()) {
      if (kind.name != c.name) continue;
      const auto optimizer = kind.make({{"x", x}}, c.settings);
      for (const int g : {1, 0}) {
        optimizer->zero_grad();
        sum(x * xgrad::Scalar(g)).backward();
        optimizer->step();
      }
    }
    CHECK(x.item() == doctest::Approx(c.after_two_steps));
  }
}

TEST_CASE("every optimizer of the list lowers a loss, and its state goes on with the same bits") {
  for (const OptimizerKind& kind : optimizer_kinds()) {
    CAPTURE(kind.name);
    xgrad::Generator generator(1);
    const xgrad::Tensor start = generator.normal({4, 3}), target = generator.normal({4, 3});
    struct Run {
      Run(const OptimizerKind& of, const xgrad::Tensor& w, const xgrad::Tensor& goal)
          : weight(w, true), bias(xgrad::zeros({3}), true), to(goal) {
        optimizer = of.make({{"weight", weight}, {"bias", bias}}, {of.lr, of.weight_decay});
      }
      double step() {
        xgrad::Tensor one = xgrad::zeros({3, 3});  // the weight is read as a layer's, as K-FAC asks
        for (std::size_t i = 0; i < 3; ++i) one(i, i) = 1;
        return optimizer->step(
            [&] { return mean(square(transpose(linear(one, weight)) + bias - xgrad::Variable(to))); });
      }
      xgrad::Variable weight, bias;
      xgrad::Tensor to;
      std::unique_ptr<xgrad::optim::Optimizer> optimizer;
    };
    xgrad::seed(1);
    Run whole(kind, start, target);
    const double first = whole.step();
    for (int t = 0; t < 30; ++t) whole.step();
    Run resumed(kind, whole.weight.value(), target);
    resumed.bias.mutable_value() = whole.bias.value();
    resumed.optimizer->load_state_dict(whole.optimizer->state_dict());
    xgrad::seed(2);
    const double last = whole.step();
    xgrad::seed(2);
    CHECK(resumed.step() == last);
    CHECK(resumed.weight.value() == whole.weight.value());
    // A random estimate of a curvature may be 0, and the step then immense.
    if (kind.name != "adahessian") CHECK(last < first);
  }
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
  CHECK_FALSE(defaults.augment);
  CHECK(parsed({"--augment"}).augment);
  CHECK(parsed({"--model", "lenet"}).model->name == "lenet");
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
      {{"--optimizer", "newton"}, "there are adam, adamax, adamw, adamaxw, "},
      {{"--optimizer", "adam,sam", "--clip", "1"}, "--clip: the steps of sam take their gradients themselves"},
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
      {{"--momentum", "1"}, "--momentum: expected a number of at least 0 and below 1, got 1"},
      {{"--optimizer", "sgd", "--momentum", "-0.1"}, "got -0.1"},
      {{"--momentum", "0.9"}, ", lars, sam, rmsprop, sgd, not to adam"},
      {{"--optimizer", "sgd", "--beta1", "0.9"}, "--beta1 belongs to adam, adamax, adamw, "},
      {{"--optimizer", "rmsprop", "--beta2", "0.9"}, ", adahessian, not to rmsprop"},
      {{"--beta1", "1.5"}, "--beta1: expected a number of at least 0 and below 1, got 1.5"},
      {{"--beta2", "nan"}, "finite"},
      {{"--beta2", "0,9"}, "'0,9' is not a number"},
      {{"--beta3", "0"}, "unknown option --beta3; did you mean --beta"},
      {{"--clip", "0"}, "--clip: expected a number above 0, got 0"},
      {{"--clip", "-1"}, "got -1"},
      {{"--clip", "inf"}, "finite"},
      {{"--epochs", "0"}, "from 1 to"},
      {{"--epochs", "-1"}, "got -1"},
      {{"--batch-size", "0"}, "from 1 to"},
      {{"--threads", "0"}, "from 1 to 1024"},
      {{"--threads", "100000"}, "from 1 to 1024"},
      {{"--hidden", "128,0"}, "--hidden"},
      {{"--hidden", ""}, "--hidden needs a value"},
      {{"--model", "mlpp"}, "--model: 'mlpp' is unknown; did you mean mlp?"},
      {{"--model", "transformer"}, "there are mlp, lenet, cnn"},
      {{"--model", "lenet", "--hidden", "5"}, "--hidden belongs to --model mlp, not to lenet"},
      {{"--hidden", "none", "--model", "cnn"}, "not to cnn"},
      {{"--schedule", "cosin"}, "did you mean cosine?"},
      {{"--schedule", "step"}, "there are constant, linear, cosine, wsd"},
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
    CHECK(text.find('\n') == text.npos);
  }
}

TEST_CASE("the help names every option, in 80 columns") {
  const std::string help = parsed({"--help"}).help;
  for (const char* option :
       {"--data",     "--samples",    "--optimizer", "--lr",         "--weight-decay",  "--hidden",
        "--epochs",   "--batch-size", "--seed",      "--threads",    "--plot",          "--csv",
        "--help",     "--model",      "--schedule",  "--validation", "--report",        "--augment",
        "--momentum", "--beta1",      "--beta2",     "--clip",       "half the memory", "Seed of random numbers [1]"})
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

TEST_CASE("schedules begin low, reach the rate, and end near 0") {
  struct Case {
    std::string name;
    std::int64_t steps, count;
    double rate;
  };
  const Case cases[] = {{"constant", 100, 0, 1},       {"constant", 100, 99, 1}, {"linear", 100, 0, 0.1},
                        {"linear", 100, 5, 1},         {"linear", 105, 55, 0.5}, {"linear", 100, 100, 0},
                        {"cosine", 100, 0, 0.1},       {"cosine", 100, 5, 1},    {"cosine", 105, 55, 0.5},
                        {"cosine", 105, 80, 0.146447}, {"cosine", 100, 100, 0},  {"cosine", 1, 0, 0.1},
                        {"cosine", 1, 1, 1},           {"wsd", 100, 0, 0.1},     {"wsd", 105, 85, 1},
                        {"wsd", 105, 90, 0.5},         {"wsd", 105, 105, 0}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.count);
    CHECK(parsed({"--schedule", c.name.c_str()}).schedule->make(c.steps)(1, c.count) == doctest::Approx(c.rate));
  }
}

TEST_CASE("networks follow the images and the classes, and refuse what is too small") {
  struct Case {
    std::string model;
    std::size_t least_side;
    std::string name;  // for the least images of three channels, and six classes
  };
  const Case cases[] = {{"mlp", 1, "3-5-7-6"}, {"lenet", 12, "lenet"}, {"cnn", 8, "cnn"}};
  for (const Case& c : cases) {
    CAPTURE(c.model);
    Architecture architecture{parsed({"--model", c.model.c_str()}).model, {5, 7}, {3, c.least_side, c.least_side}, 6};
    CHECK(architecture.name() == c.name);
    CHECK(architecture.make()(xgrad::Variable(xgrad::zeros({2, 3, c.least_side, c.least_side}))).shape() ==
          xgrad::Shape{2, 6});
    architecture.image_shape = {1, 28, 31};
    CHECK(architecture.make()(xgrad::Variable(xgrad::zeros({2, 1, 28, 31}))).shape() == xgrad::Shape{2, 6});
    if (c.least_side == 1) continue;
    architecture.image_shape = {1, 28, c.least_side - 1};
    CHECK_THROWS_WITH_AS(architecture.make(),
                         xgrad::message("--model: ", c.model, " needs images of at least ", c.least_side, " x ",
                                        c.least_side, " pixels, got 28 x ", c.least_side - 1)
                             .c_str(),
                         UsageError);
  }
}
