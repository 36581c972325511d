// Every reader of text: numbers, lists and words of command lines, the options of `train`, the texts in states, and
// what is escaped for XML.
#include <options.h>
#include <progress.h>
#include <text.h>
#include <xgrad/xgrad.h>

#include <cmath>

#include "fuzz.h"

using namespace xgrad;
using namespace cli;

namespace {

void numbers(const std::string& text) {
  double value = 0;
  if (fuzz::succeeds<UsageError>([&] { value = parse_number("--x", text); })) {
    fuzz::expect(std::isfinite(value), "a finite number");
    fuzz::expect(parse_number("--x", shortest(value)) == value, "the same number from its shortest text");
  }
  std::uint64_t count = 0;
  if (fuzz::succeeds<UsageError>([&] { count = parse_count("--x", text, 3, 1u << 31); }))
    fuzz::expect(count >= 3 && count <= 1u << 31, "a number in its range");
}

void words(const std::string& text) {
  std::vector<std::string> parts = split(text);
  std::string joined;
  for (const std::string& part : parts) joined += (&part == &parts[0] ? "" : ",") + part;
  fuzz::expect(joined == text, "a list that is the text again when it is joined");
  const std::string typed = parts.empty() ? "" : parts[0];
  if (parts.size() > 100) parts.resize(100);
  did_you_mean(typed, parts);
}

void markup(const std::string& text) {
  const std::string result = escaped(text);
  fuzz::expect(result.find_first_of("<>\"") == result.npos, "no tag and no quote in what is escaped");
  for (std::size_t at = 0; (at = result.find('&', at)) != result.npos; ++at)
    fuzz::expect(result.find(';', at) != result.npos, "entities that end");
  pad_left(text, 20), pad_right(text, 20);
}

void for_people(fuzz::Input& input) {
  const double number = input.number();
  loss_text(number), fixed(number, 3), percent(number, 2), clock_time(number), shortest(number);
  const std::size_t count = input.below(65536) << input.below(64);
  grouped(count), bytes(count);
  const train::Plan plan = {input.below(9) + 1, input.below(9) + 1, input.below(9) + 1};
  const train::Status status = {input.below(plan.epochs) + 1, input.below(plan.steps) + 1, number, input.number()};
  const std::size_t run = input.below(plan.runs) + 1, width = input.below(200);
  const std::string line = train::progress_line(input.rest(), run, plan, status, number, width);
  fuzz::expect(line.size() <= width, "a line that is not too long");
}

// A word a line.
void options(std::string text) {
  std::vector<const char*> arguments = {"train"};
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end < text.size()) text[end] = '\0';
    arguments.push_back(text.data() + begin);
    begin = end + 1;
  }
  train::Options read;
  if (!fuzz::succeeds<UsageError>([&] { read = train::parse(static_cast<int>(arguments.size()), arguments.data()); }))
    return;
  fuzz::expect(!read.help.empty() || !read.choices.empty(), "help, or something to train with");
  for (const train::Choice& choice : read.choices)
    fuzz::expect(choice.lr > 0 && std::isfinite(choice.lr) && choice.weight_decay >= 0, "rates that can be used");
}

// The texts that a state may have: the generator's engine, and the seed of a loader.
void states(const std::string& text) {
  Generator generator;
  StateDict state = generator.state_dict();
  state.texts = {{"engine", text}};
  if (fuzz::succeeds<DataError>([&] { generator.load_state_dict(state); })) generator.normal();

  static const datasets::Dataset data(std::vector<std::uint8_t>(2 * 4, 1), {1, 2, 2}, {0, 1});
  datasets::DataLoader loader(data, {.batch_size = 1, .shuffle = true, .seed = 1, .prefetch = false});
  state = loader.state_dict();
  state.texts = {{"seed", text}};
  if (fuzz::succeeds<DataError>([&] { loader.load_state_dict(state); })) static_cast<void>(*loader.begin());
}

}  // namespace

void fuzz::run(Bytes bytes) {
  Input input(bytes);
  switch (input.byte() % 6) {
    case 0:
      return numbers(input.rest());
    case 1:
      return words(input.rest());
    case 2:
      return markup(input.rest());
    case 3:
      return for_people(input);
    case 4:
      return options(input.rest());
    default:
      return states(input.rest());
  }
}

std::vector<std::string> fuzz::seeds() {
  std::vector<std::string> all;
  for (const char* number : {"", "0", "7", "-1", "0.001", "1e-3", "1e999", "nan", "inf", "0x1p3", "1e-3x", " 1",
                             "18446744073709551616", "2147483648"})
    all.push_back(byte(0) + number);
  for (const char* list : {"", "adam", "adam,adamax", ",", "adamx,adam,adamax,sgd", "ADAM,adam"})
    all.push_back(byte(1) + list);
  for (const char* markup : {"", "a<b>&\"c'", "\x1b[1m\n\t", "&amp;", "\xc3\xa4\xc2\x9b"})
    all.push_back(byte(2) + markup);
  for (std::size_t i = 0; i < special_numbers(); ++i)
    all.push_back(byte(3) + byte(i) + index(1000) + index(i) + index(3) + index(4) + index(5) + index(1) + index(2) +
                  byte(i + 1) + index(2) + index(80) + "label");
  for (const char* command :
       {"", "--help", "--samples\n100\n--validation\n0.1\n--augment",
        "--model\nlenet\n--optimizer\nadam,sgd\n--lr\n0.1,1", "--hidden\n256,64\n--weight-decay\n0.01", "--hidden=none",
        "--schedule\ncosine\n--epochs\n3\n--batch-size\n7", "--seed\n18446744073709551615\n--threads\n2",
        "--optimizer\nadam\n--checkpoint\na\n--checkpoint-every\n5", "--resume", "--plot\na\n--csv\nb\n--report\na",
        "--data\n/\n--test\n/", "--optimzer\nadam", "x", "-h", "--", "--lr"})
    all.push_back(byte(4) + command);
  Generator generator(1);
  const std::string engine = generator.state_dict().texts[0].second;
  std::string zeros;
  for (int i = 0; i < 312; ++i) zeros += "0 ";
  for (const std::string& text : {engine, engine + " ", engine.substr(1), engine + "9", zeros + "312", zeros + "0",
                                  std::string("18446744073709551615"), std::string("7")})
    all.push_back(byte(5) + text);
  return all;
}
