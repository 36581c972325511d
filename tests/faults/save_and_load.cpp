// Every allocation, write, fsync, rename and read of a save, of a load and of two steps of training fails once, alone
// and with all that come after it. Each time the library must throw std::bad_alloc or a DataError, or need not care;
// there must be a complete file; and a second try, in peace, must give the bits that it gives without a fault.
//
// usage: save_and_load              tries all of it
//        save_and_load save FILE    saves once, to be watched by others
#include <sys/stat.h>
#include <unistd.h>
#include <xgrad/xgrad.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string>

#include "failing_calls.h"

using namespace xgrad;
using faults::Call;
namespace fs = std::filesystem;

namespace {

// In one thread: oneTBB's own allocations are not ours, and where they fail is another test's matter.
const datasets::Dataset& images() {
  static const datasets::Dataset data = datasets::digits(64, 1);
  return data;
}

struct Training {
  explicit Training(std::uint64_t start)
      : model((seed(start), nn::Sequential{nn::Flatten(), nn::Linear(784, 4), nn::BatchNorm1d(4), nn::ReLU(),
                                           nn::Dropout(0.3), nn::Linear(4, 10)})),
        optimizer(model.parameters(), {}),
        loader(images(), {.batch_size = 16, .shuffle = true}) {}

  void train(int steps) {
    while (true)
      for (const auto& [batch, labels] : loader) {
        if (steps-- == 0) return;
        optimizer.zero_grad();
        nn::cross_entropy(model(batch), labels).backward();
        optimizer.step();
      }
  }
  void save(const fs::path& file) const {
    save_checkpoint(file, {{"model", model.state_dict()},
                           {"optimizer", optimizer.state_dict()},
                           {"loader", loader.state_dict()},
                           {"generator", default_generator().state_dict()}});
  }
  void load(const fs::path& file) {
    const StateDict saved = load_checkpoint(file);
    model.load_state_dict(saved.below("model."));
    optimizer.load_state_dict(saved.below("optimizer."));
    loader.load_state_dict(saved.below("loader."));
    default_generator().load_state_dict(saved.below("generator."));
  }

  nn::Sequential model;
  optim::Adam optimizer;
  datasets::DataLoader<> loader;
};

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

// What is being tried, for whoever ends this program.
char place[200] = "the preparations";
std::size_t place_length = 0;

void say_where(int signal) {
  constexpr char text[] = "save_and_load: killed by a signal, or by an exception that could not be caught, at ";
  static_cast<void>(!write(STDERR_FILENO, text, sizeof text - 1));
  static_cast<void>(!write(STDERR_FILENO, place, place_length));
  static_cast<void>(!write(STDERR_FILENO, "\n", 1));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

struct Trial {
  const char* name;
  std::function<void()> prepare;
  std::function<void()> action;  // of which a call fails
  std::function<void(bool threw)> check;
};

struct Outcome {
  bool threw = false;
  std::string error;
};

Outcome attempt(const Trial& trial) {
  try {
    trial.action();
  } catch (const std::bad_alloc&) {
    return {true, {}};
  } catch (const DataError& error) {
    faults::stop();  // what is left to do needs memory
    return {true, error.what()};
  }
  return {};
}

const char* reason(Call call) {
  if (call == Call::allocation) return "Cannot allocate memory";
  return call == Call::write ? "No space left on device" : "Input/output error";
}

void fail_each(const Trial& trial, Call call, bool onwards) {
  long threw = 0, nth = 1;
  for (;; ++nth) {
    trial.prepare();
    place_length = static_cast<std::size_t>(std::snprintf(place, sizeof place, "%s, %s %ld%s", trial.name,
                                                          faults::names[static_cast<int>(call)], nth,
                                                          onwards ? " and all after it" : ""));
    faults::fail(call, nth, onwards);
    const Outcome outcome = attempt(trial);
    const bool reached = faults::stop() >= nth || outcome.threw;
    // The C library's own calls, opendir() say, give the reason too where it is memory that they lack.
    require(!outcome.threw || (call == Call::allocation && outcome.error.empty()) ||
                outcome.error.find(reason(call)) != std::string::npos,
            outcome.error.empty() ? "std::bad_alloc without a reason" : outcome.error.c_str());
    trial.check(outcome.threw);
    if (!reached) break;
    threw += outcome.threw;
  }
  std::printf("%s: of %ld failures (%s%s) %ld were refused, and the others did no harm\n", trial.name, nth - 1,
              faults::names[static_cast<int>(call)], onwards ? ", and all after it" : "", threw);
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "xgrad-faults-XXXXXX").string();
    require(mkdtemp(name.data()) != nullptr, "a folder cannot be made");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }
  bool holds_only(const fs::path& file) const {
    return fs::exists(file) && std::distance(fs::directory_iterator(path_), {}) == 1;
  }

 private:
  fs::path path_;
};

constexpr bool alone = false, with_all_after = true;

void try_saving() {
  const Folder folder, other;
  const fs::path file = folder.path() / "checkpoint", before = other.path() / "before";
  Training training(1);
  training.train(3);
  training.save(before);
  const std::string old_bytes = content(before);
  training.train(1);
  training.save(file);
  const std::string new_bytes = content(file);

  const auto check = [&](bool threw, bool there_before) {
    require(folder.holds_only(file) || (threw && !there_before && fs::is_empty(folder.path())),
            "something is left behind, or the file is gone");
    if (fs::exists(file)) {
      const std::string now = content(file);
      require(now == new_bytes || (threw && there_before && now == old_bytes), "the file is not whole");
      load_checkpoint(file);
    }
    training.save(file);
    require(folder.holds_only(file) && content(file) == new_bytes, "the next save is another");
  };
  const Trial replace{.name = "a file that is replaced",
                      .prepare = [&] { fs::copy_file(before, file, fs::copy_options::overwrite_existing); },
                      .action = [&] { training.save(file); },
                      .check = [&](bool threw) { check(threw, true); }};
  const Trial first{.name = "a new file",
                    .prepare = [&] { fs::remove(file); },
                    .action = [&] { training.save(file); },
                    .check = [&](bool threw) { check(threw, false); }};
  for (const Trial* trial : {&replace, &first})
    for (const Call call : {Call::allocation, Call::write, Call::fsync, Call::rename})
      for (const bool onwards : {alone, with_all_after}) fail_each(*trial, call, onwards);
}

void try_loading() {
  const Folder folder;
  const fs::path file = folder.path() / "checkpoint";
  Training training(1);
  training.train(3);
  training.save(file);
  const auto resume = [&](Training& resumed) {
    resumed.load(file);
    resumed.train(2);
  };
  resume(training);
  const auto expected = training.model.state_dict().tensors;

  std::optional<Training> resumed;
  const Trial load{.name = "a training that is resumed",
                   .prepare = [&] { resumed.emplace(2); },  // other weights, another order, another generator
                   .action = [&] { resume(*resumed); },
                   .check =
                       [&](bool threw) {
                         if (threw) resume(*resumed);
                         require(resumed->model.state_dict().tensors == expected, "other bits after a failure");
                       }};
  for (const Call call : {Call::allocation, Call::read})
    for (const bool onwards : {alone, with_all_after}) fail_each(load, call, onwards);
}

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(1);
  if (argc == 3 && std::string(argv[1]) == "save") {
    Training training(1);
    training.train(1);
    training.save(argv[2]);
    return 0;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, say_where);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    try_saving();
    try_loading();
  } catch (const std::exception& error) {
    faults::stop();
    std::fprintf(stderr, "save_and_load: %.*s: %s\n", static_cast<int>(place_length), place, error.what());
    return 1;
  }
  return 0;
}
