// Shows what optimizers do, on one page: lab --help.
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/mnist.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "context.h"
#include "csv.h"
#include "output_file.h"
#include "page.h"
#include "program.h"
#include "section_progress.h"
#include "text.h"
#include "words/page.h"

namespace lab {
namespace {

namespace fs = std::filesystem;
using namespace cli;
using namespace xgrad::datasets;
using xgrad::message, xgrad::printable;

struct Part {
  std::string name, about;
  Section (*make)(const Context&);
  double quick_seconds, seconds;  // on two cores of 2023, for the first estimate
};

const std::vector<Part> parts = {
    {"step", "one step by hand, a card for each rule, and inside Adam and Adamax", inside_one_step, 0.3, 0.6},
    {"race", "the optimizers on functions of two numbers", race, 9, 40},
    {"rates", "how much the rate and the betas matter", rate_sensitivity, 12, 700},
    {"claims", "an article on Adam and AdaMax, claim by claim", claims, 18, 250},
    {"break", "six ways to fail, and how to see it", break_it, 8, 40},
    {"paper", "the experiments of Kingma & Ba 2015", paper_experiments, 9, 900},
    {"curvature", "the Hessian along the way, and the landscape", curvature, 12, 500},
};

struct Options {
  fs::path output = "lab.html";
  std::optional<std::string> data;
  std::vector<const Part*> parts;
  bool quick = false;
  std::uint64_t seed = 1;
};

std::string part_names() {
  std::string names;
  for (const Part& part : parts) names += (names.empty() ? "" : ",") + part.name;
  return names;
}

std::vector<const Part*> chosen(const std::string& list) {
  std::vector<std::string> names = split(list), known;
  for (const Part& part : parts) known.push_back(part.name);
  for (const std::string& name : names)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UsageError(message("--sections: expected some of ", part_names(), ", got \"", printable(name), "\"",
                               did_you_mean(name, known)));
  std::vector<const Part*> result;
  for (const Part& part : parts)
    if (std::find(names.begin(), names.end(), part.name) != names.end()) result.push_back(&part);
  if (result.empty()) throw UsageError(message("--sections: expected some of ", part_names(), ", got none"));
  return result;
}

// The help text, or nothing.
std::optional<std::string> parse(int argc, const char* const* argv, Options& options) {
  CLI::App app("Writes a page that shows what each optimizer does, and whether what is said of it is true.", "lab");
  std::string sections = part_names(), seed = "1";
  app.add_option("--output", options.output, "The page; its numbers go into a folder beside it [lab.html]")
      ->type_name("FILE");
  app.add_option("--sections", sections, message("Some of ", sections, " [all]"))->type_name("LIST");
  app.add_flag("--quick", options.quick, "Fewer steps, seeds and settings: about a minute rather than half an hour");
  app.add_option("--data", options.data, "Folder of MNIST or a relative of it [drawn digits]")->type_name("DIR");
  app.add_option("--seed", seed, "Of all that is drawn [1]")->type_name("N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::string help = app.help() + "\nSections:\n";
    for (const Part& part : parts) help += "  " + pad_right(part.name, 12) + part.about + "\n";
    return help;
  } catch (const CLI::ParseError& error) {
    throw UsageError(printable(error.what()));
  }
  options.parts = chosen(sections);
  options.seed = parse_count("--seed", seed, 0, std::numeric_limits<std::uint32_t>::max());
  return {};
}

Split load(const Options& options) {
  if (options.data) return mnist(*options.data);
  return {digits(options.quick ? 8000 : 60000, 2 * options.seed),
          digits(options.quick ? 2000 : 10000, 2 * options.seed + 1)};
}

std::vector<Section> make_sections(const Options& options, const Split& data) {
  std::vector<double> seconds;
  for (const Part* part : options.parts) seconds.push_back(options.quick ? part->quick_seconds : part->seconds);
  SectionProgress progress(seconds);
  const Context context{.quick = options.quick,
                        .seed = options.seed,
                        .data = data,
                        .real_digits = options.data.has_value(),
                        .progress = [&progress](double share) { progress.update(share); }};
  std::vector<Section> sections;
  for (std::size_t i = 0; i < options.parts.size(); ++i) {
    progress.start(i, options.parts[i]->about);
    sections.push_back(options.parts[i]->make(context));
    progress.finish();
  }
  return sections;
}

void run(const Options& options) {
  const OutputFile output("--output", options.output);
  const Split data = load(options);
  fs::path folder = options.output;
  folder.replace_extension();
  folder += "_csv";
  std::error_code status;
  fs::create_directories(folder, status);
  if (status)
    throw UsageError(message("--output: cannot make the folder ", printable(folder.string()), ": ", status.message()));

  const std::vector<Section> sections = make_sections(options, data);
  const std::vector<Csv> files = csv_files(sections);
  std::string failure;  // of one file, which takes no other with it
  const auto write = [&failure](const fs::path& path, const std::string& content) {
    try {
      OutputFile("--output", path).write(content);
    } catch (const std::exception& error) {
      failure = error.what();
    }
  };
  for (const Csv& file : files) write(folder / file.name, file.lines);
  namespace say = words::page_section;
  const std::string html =
      page({.heading = say::heading{},
            .introduction =
                say::introduction{
                    .digits = options.data ? std::string(say::real_digits{}) : std::string(say::drawn_digits{}),
                    .length = options.quick ? std::string(say::quick{}) : std::string(say::whole{}),
                    .seed = options.seed},
            .numbers = folder.filename().string()},
           sections);
  write(output.path(), html);
  if (!failure.empty()) throw std::runtime_error(failure);
  std::printf("%s: %s, and %zu files of numbers in %s\n", printable(options.output.string()).c_str(),
              bytes(html.size()).c_str(), files.size(), printable(folder.string()).c_str());
}

}  // namespace
}  // namespace lab

int main(int argc, char** argv) {
  return cli::run_program("lab", [&] {
    lab::Options options;
    if (const std::optional<std::string> help = lab::parse(argc, argv, options))
      std::fputs(help->c_str(), stdout);
    else
      lab::run(options);
    return 0;
  });
}
