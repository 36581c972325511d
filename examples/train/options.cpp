#include "options.h"

#include <xgrad/core/errors.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <memory>

#include "table_data.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message, xgrad::printable;

constexpr std::size_t option_width = 24, description_width = 80 - option_width;
constexpr std::size_t most_samples = 1000000;

// Option names with their kind of value; the defaults stand in the descriptions.
struct Help : CLI::Formatter {
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_name().empty() ? "" : " " + option->get_type_name();
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    for (std::size_t begin = 0, end; text.size() - begin > description_width; begin = end + 1) {
      end = text.find('\n', begin);
      if (end - begin <= description_width) continue;
      end = text.rfind(' ', begin + description_width);
      text[end] = '\n';
    }
    return text;
  }
  std::string make_usage(const CLI::App*, std::string name) const override {
    return message("\nUsage: ", name, " [OPTION]...\n\n");
  }
  std::string make_group(std::string group, bool positional, std::vector<const CLI::Option*> options) const override {
    return Formatter::make_group(group, positional, options).substr(1);  // without its empty line
  }
};

template <class Kinds>
std::vector<std::string> names_of(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  return names;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

template <class Kind>
const Kind& find_kind(const char* option, const std::string& name, std::span<const Kind> kinds) {
  for (const Kind& kind : kinds)
    if (kind.name == name) return kind;
  const std::vector<std::string> names = names_of(kinds);
  const std::string hint = did_you_mean(name, names);
  throw UsageError(
      message(option, ": '", printable(name), "' is unknown", hint.empty() ? "; there are " + join(names) : hint));
}

std::vector<Choice> choose(const std::string& names, const std::string& rates, std::optional<double> weight_decay) {
  std::vector<Choice> choices;
  for (const std::string& name : split(names)) {
    const OptimizerKind& kind = find_kind("--optimizer", name, optimizer_kinds());
    choices.push_back({&kind, kind.lr, weight_decay.value_or(kind.weight_decay), name});
  }
  const std::vector<std::string> lrs = split(rates);
  if (lrs.size() > 1 && lrs.size() != choices.size())
    throw UsageError(message("--lr: ", lrs.size(), " rates for ", choices.size(),
                             choices.size() == 1 ? " optimizer" : " optimizers",
                             "; give one for all, or one for each"));
  for (std::size_t i = 0; i < choices.size() && !lrs.empty(); ++i) {
    const std::string& text = lrs[lrs.size() == 1 ? 0 : i];
    choices[i].lr = parse_number("--lr", text);
    if (choices[i].lr <= 0) throw UsageError(message("--lr: expected a number above 0, got ", text));
  }
  for (Choice& choice : choices) {
    const auto twins = [&](const Choice& other) { return other.kind == choice.kind; };
    const auto equals = [&](const Choice& other) { return twins(other) && other.lr == choice.lr; };
    if (std::count_if(choices.begin(), choices.end(), equals) > 1)
      throw UsageError(message("--optimizer: '", choice.kind->name, "' comes twice with the rate ", shortest(choice.lr),
                               "; give each its own --lr"));
    if (std::count_if(choices.begin(), choices.end(), twins) > 1) choice.label += " lr " + shortest(choice.lr);
  }
  return choices;
}

// Each belongs to the optimizers that have it.
void set_moments(std::vector<Choice>& choices, const OptimizerSettings& given) {
  const struct {
    const char* option;
    bool OptimizerKind::*has;
    std::optional<double> Choice::*target;
    std::optional<double> value;
  } moments[] = {{"--momentum", &OptimizerKind::has_momentum, &Choice::momentum, given.momentum},
                 {"--beta1", &OptimizerKind::has_betas, &Choice::beta1, given.beta1},
                 {"--beta2", &OptimizerKind::has_betas, &Choice::beta2, given.beta2}};
  for (const auto& [option, has, target, value] : moments) {
    if (!value) continue;
    bool used = false;
    for (Choice& choice : choices)
      if (choice.kind->*has) choice.*target = value, used = true;
    if (used) continue;
    std::vector<std::string> owners;
    for (const OptimizerKind& kind : optimizer_kinds())
      if (kind.*has) owners.emplace_back(kind.name);
    throw UsageError(message(option, " belongs to ", join(owners), ", not to ", choices[0].kind->name));
  }
}

void check_clipping(const std::vector<Choice>& choices) {
  const xgrad::optim::ParameterList any = {{"any", xgrad::Variable(xgrad::zeros({1, 1}), true)}};
  for (const Choice& choice : choices)
    if (choice.kind->make(any, choice.settings())->needs_closure())
      throw UsageError(message("--clip: the steps of ", choice.kind->name, " take their gradients themselves"));
}

std::vector<std::size_t> parse_widths(const std::string& text) {
  std::vector<std::size_t> widths;
  if (text == "none") return widths;
  for (const std::string& width : split(text)) widths.push_back(parse_count("--hidden", width, 1, widest));
  return widths;
}

double parse_below_one(const std::string& option, const std::string& text) {
  const double number = parse_number(option, text);
  if (number < 0 || number >= 1)
    throw UsageError(message(option, ": expected a number of at least 0 and below 1, got ", text));
  return number;
}

double parse_share(const std::string& text) {
  const double share = parse_number("--validation", text);
  if (share <= 0 || share >= 1) throw UsageError("--validation: expected a share above 0 and below 1, got " + text);
  return share;
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(std::filesystem::absolute(a, ignored), ignored) ==
         std::filesystem::weakly_canonical(std::filesystem::absolute(b, ignored), ignored);
}

void check_files(const Options& options) {
  using File = std::pair<const char*, const std::optional<std::filesystem::path>&>;
  const File files[] = {{"--plot", options.plot},
                        {"--csv", options.csv},
                        {"--report", options.report},
                        {"--save", options.save},
                        {"--checkpoint", options.checkpoint}};
  for (const File& a : files)
    for (const File& b : files)
      if (&a < &b && a.second && b.second && same_file(*a.second, *b.second))
        throw UsageError(message(a.first, " and ", b.first, " are the same file, ", printable(a.second->string())));
}

void check_all_known(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  const std::string unknown = extras[0].substr(0, extras[0].find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) known.push_back("--" + option->get_lnames().at(0));
  const std::string hint = did_you_mean(unknown, known);
  throw UsageError(message(unknown.starts_with('-') ? "unknown option " : "unexpected argument ", printable(unknown),
                           hint.empty() ? "; --help lists the options" : hint));
}

void check_classification(const CLI::App& app, const Options& options) {
  if (!options.checkpoint) throw UsageError("--classify needs --checkpoint FILE, whose network it asks");
  for (const CLI::Option* option : app.get_options()) {
    const std::string& name = option->get_lnames().at(0);
    const bool of_use =
        name == "classify" || name == "checkpoint" || name == "json" || name == "memory-limit" || name == "threads";
    if (option->count() > 0 && !of_use)
      throw UsageError(message("--", name, " is about training: it does not go with --classify"));
  }
}

}  // namespace

void check_checkpoint(const Options& options) {
  if (!options.checkpoint && options.resume) throw UsageError("--resume needs --checkpoint FILE");
  if (!options.checkpoint && options.checkpoint_every) throw UsageError("--checkpoint-every needs --checkpoint FILE");
  if (!options.checkpoint) return;
  if (options.choices.size() != 1)
    throw UsageError(message("--checkpoint holds one training: choose one --optimizer, not ", options.choices.size()));
  std::error_code unreadable;
  const bool exists = std::filesystem::is_regular_file(*options.checkpoint, unreadable);
  if (options.resume && !exists)
    throw UsageError(message("--resume: there is no file ", printable(options.checkpoint->string())));
  if (!options.resume && exists)
    throw UsageError(message("--checkpoint: ", printable(options.checkpoint->string()),
                             " holds a training already; add --resume to", " go on with it, or remove it"));
}

Options parse(int argc, const char* const* argv) {
  Options options;
  std::string optimizers = "adam,adamax", rates;
  std::optional<double> weight_decay;
  OptimizerSettings moments{};
  bool hidden_given = false;

  CLI::App app("Trains the same network with one or several optimizers, and compares them.", "train");
  app.formatter(std::make_shared<Help>());
  app.get_formatter()->column_width(option_width);
  app.allow_extras();
  app.set_help_flag();  // it comes last
  app.footer(optimizer_table() +
             "\nExample:\n  train --data mnist --optimizer adam,sgd --lr 0.001,0.1 --plot training.svg\n");

  const auto add = [&app](const char* group, const std::string& name, const char* type, const std::string& description,
                          const std::function<void(const std::string&)>& read) {
    const auto checked = [name, read](const std::string& text) {
      if (text.empty() || text.starts_with("--"))
        throw UsageError(message(name, " needs a value", text.empty() ? "" : ", got the option " + printable(text)));
      read(text);
    };
    app.add_option_function<std::string>(name, checked, description)->type_name(type)->group(group);
  };
  const auto add_count = [&](const char* group, const std::string& name, const std::string& description,
                             std::uint64_t low, std::uint64_t high, auto& target) {
    add(group, name, "N", description,
        [=, &target](const std::string& text) { target = parse_count(name, text, low, high); });
  };
  const auto add_path = [&](const char* group, const std::string& name, const char* type,
                            const std::string& description, std::optional<std::filesystem::path>& target) {
    add(group, name, type, description, [&target](const std::string& text) { target = text; });
  };

  add_path("Data", "--data", "PATH", "Folder of MNIST, CIFAR or pictures, or a table,\nFILE.csv [drawn digits]",
           options.data);
  add("Data", "--label", "NAME", "Column of a table's classes [its last one]",
      [&](const std::string& text) { options.label = text; });
  add_path("Data", "--test", "DIR", "Test on another folder's test images [those of --data]", options.test);
  add_count("Data", "--picture-size", "Scale pictures to N x N pixels [as they are]", 1, 4096, options.picture_size);
  add_count("Data", "--samples", message("Train on the first N samples [all; ", drawn_samples, " if drawn]"), 1,
            most_samples, options.samples);
  add("Data", "--memory-limit", "MIB", "What one file may take in memory [a quarter of all]",
      [&](const std::string& text) {
        options.memory_limit = parse_count("--memory-limit", text, 1, std::uint64_t{1} << 40) << 20;
      });
  add("Data", "--validation", "X", "Hold out this share of the training samples [none]",
      [&](const std::string& text) { options.validation = parse_share(text); });
  app.add_flag("--augment", options.augment, "Distort each training image anew in each epoch")->group("Data");
  add("Training", "--model", "NAME", message("One of ", join(names_of(model_kinds())), " [", options.model->name, "]"),
      [&](const std::string& text) { options.model = &find_kind("--model", text, model_kinds()); });
  add("Training", "--hidden", "LIST", "Hidden widths of an mlp, such as 256,64, or none [128]",
      [&](const std::string& text) { options.hidden = parse_widths(text), hidden_given = true; });
  add("Training", "--optimizer", "LIST", message("One or several of the optimizers below [", optimizers, "]"),
      [&](const std::string& text) { optimizers = text; });
  add("Training", "--lr", "LIST", "Learning rate: one for all, or one for each [see below]",
      [&](const std::string& text) { rates = text; });
  add("Training", "--weight-decay", "X", "Weight decay [see below]", [&](const std::string& text) {
    weight_decay = parse_number("--weight-decay", text);
    if (*weight_decay < 0) throw UsageError("--weight-decay: expected a number of at least 0, got " + text);
  });
  const auto add_below_one = [&](const std::string& name, const std::string& description,
                                 std::optional<double>& target) {
    add("Training", name, "X", description,
        [=, &target](const std::string& text) { target = parse_below_one(name, text); });
  };
  add_below_one("--momentum", "Share of the last step in the next [the rule's own]", moments.momentum);
  add_below_one("--beta1", "Share of its mean of g that each step keeps [the rule's own]", moments.beta1);
  add_below_one("--beta2", "The same of g^2, or the largest |g| [the rule's own]", moments.beta2);
  add("Training", "--clip", "X", "Greatest norm of the gradient, scaled if above [none]", [&](const std::string& text) {
    options.clip = parse_number("--clip", text);
    if (*options.clip <= 0) throw UsageError("--clip: expected a number above 0, got " + text);
  });
  add("Training", "--schedule", "NAME",
      message("Of the learning rate: ", join(names_of(schedule_kinds())), "\n[", options.schedule->name, "]"),
      [&](const std::string& text) { options.schedule = &find_kind("--schedule", text, schedule_kinds()); });
  add_count("Training", "--epochs", message("Passes over the training data [", options.epochs, "]"), 1, 100000,
            options.epochs);
  add_count("Training", "--batch-size", message("Samples in a step [", options.batch_size, "]"), 1, most_samples,
            options.batch_size);
  add_count("Training", "--seed", message("Seed of random numbers [", options.seed, "]"), 0,
            std::numeric_limits<std::uint64_t>::max(), options.seed);
  add_count("Training", "--threads", "Threads to compute with [one for each core]", 1, 1024, options.threads);
  add_count("Processes", "--micro-batches",
            "Parts of a batch, a power of two, for any number of\nprocesses to share [8; none if alone]", 1, 65536,
            options.micro_batches);
  add("Processes", "--deadline", "X", message("Seconds to wait for another process [", options.deadline, "]"),
      [&](const std::string& text) {
        options.deadline = parse_number("--deadline", text);
        if (options.deadline <= 0) throw UsageError("--deadline: expected a number above 0, got " + text);
      });
  add_path("Checkpoint", "--checkpoint", "FILE", "Save all there is at each epoch's end and when stopped",
           options.checkpoint);
  add_count("Checkpoint", "--checkpoint-every", "Save every N steps, too", 1, std::numeric_limits<std::uint32_t>::max(),
            options.checkpoint_every);
  app.add_flag("--resume", options.resume,
               "Go on from there, with the same options, or with more\n--epochs if the schedule is constant")
      ->group("Checkpoint");
  app.add_option_function<std::vector<std::string>>(
         "--classify", [&](const auto& files) { options.classified.assign(files.begin(), files.end()); },
         "Do not train: show what the network in --checkpoint\nmakes of these pictures")
      ->type_name("FILE...")
      ->expected(1, -1)
      ->group("Trained networks");
  app.add_flag("--json", options.json, "Print that as JSON")->group("Trained networks");
  add_path("Trained networks", "--save", "FILE", "Save the best network, for --classify --checkpoint FILE",
           options.save);
  add_path("Output", "--plot", "FILE", "Draw loss and accuracy into an SVG file", options.plot);
  add_path("Output", "--csv", "FILE", "Write the numbers behind the plot", options.csv);
  add_path("Output", "--report", "FILE", "Write an HTML page: plot, confusions, mistakes", options.report);

  app.set_help_flag("-h,--help", "Print this help and exit")->group("Output");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    options.help = app.help();
    return options;
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view text = error.what();
    throw UsageError(message(printable(text.substr(0, text.find(':'))),
                             text.find("received") == text.npos ? " needs a value" : " is given more than once"));
  } catch (const CLI::ParseError& error) {
    throw UsageError(printable(error.what()));
  }
  check_all_known(app);
  if (!options.classified.empty()) return check_classification(app, options), options;
  if (options.json) throw UsageError("--json belongs to --classify");
  options.choices = choose(optimizers, rates, weight_decay);
  set_moments(options.choices, moments);
  if (options.clip) check_clipping(options.choices);
  if (options.micro_batches && !std::has_single_bit(*options.micro_batches))
    throw UsageError(message("--micro-batches: expected a power of two, got ", *options.micro_batches));
  if (hidden_given && options.model != &model_kinds().front())
    throw UsageError(message("--hidden belongs to --model mlp, not to ", options.model->name));
  check_table_options(options);
  check_files(options);
  check_checkpoint(options);
  return options;
}

}  // namespace train
