#include <unistd.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace xgrad::datasets {
namespace {

IndexTensor drawn(const std::vector<double>& weights, Generator generator) {
  std::vector<double> sums(weights.size());
  std::partial_sum(weights.begin(), weights.end(), sums.begin());
  // The last that has a weight, beyond which rounding may not lead.
  const auto last = std::lower_bound(sums.begin(), sums.end(), sums.back());
  IndexTensor order = IndexTensor::from_shape({weights.size()});
  for (std::int64_t& sample : order)
    sample = std::upper_bound(sums.begin(), last, generator.uniform() * sums.back()) - sums.begin();
  return order;
}

IndexTensor epoch_order(std::size_t samples, const LoaderOptions& options, Generator generator) {
  if (!options.weights.empty()) return drawn(options.weights, generator);
  if (options.shuffle) return generator.permutation(samples);
  IndexTensor order = IndexTensor::from_shape({samples});
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

}  // namespace

// One pass over the data. Batches change hands in groups: waking a thread takes longer than filling a small batch. Of
// the places, one half belongs to the consumer; the other to the thread while its batches are not `full`, and to the
// consumer while they are.
class LoaderBase::Epoch {
 public:
  Epoch(const LoaderBase& loader, std::size_t group, std::unique_ptr<Places> places)
      : places_(std::move(places)),
        order_(epoch_order(loader.samples_, loader.options_, Generator(loader.seed_, loader.epoch_))),
        seed_(Generator(loader.seed_, loader.epoch_).bits()),
        batch_size_(static_cast<std::size_t>(loader.options_.batch_size)),
        loader_seed_(loader.seed_),
        number_(loader.epoch_),
        communicator_(loader.options_.communicator),
        parts_(communicator_ ? communicator_->own_micro_batches() : 1),
        first_(loader.taken_ * parts_),
        batches_(loader.size() * parts_),
        group_(group),
        taken_(first_) {
    if (!loader.options_.prefetch || batches_ - first_ <= group_) return;
    ahead_ = std::make_unique<Ahead>();
    try {
      ahead_->thread = std::thread([this, ahead = ahead_.get()] { run(*ahead); });
    } catch (const std::system_error&) {
      ahead_.reset();  // no thread is to be had (a browser, a limit): batches are made when they are asked for
    }
  }
  ~Epoch() {
    if (!has_thread()) return;
    std::unique_lock lock(ahead_->mutex);
    ahead_->stopping = true;
    lock.unlock();
    ahead_->changed.notify_one();
    ahead_->thread.join();
  }

  std::uint64_t number() const { return number_; }
  std::size_t taken() const { return (taken_ + parts_ - 1) / parts_; }  // whole batches
  std::size_t place() const { return half_ * group_ + (taken_ - 1 - first_) % group_; }
  bool ended() const { return taken_ > batches_; }

  void advance() {
    go_on();
    if (ended() || !communicator_) return;
    const Part part = part_of(taken_ - 1);
    communicator_->begin({.number = part.number,
                          .samples = part.counts ? part.size : 0,
                          .batch = part.batch,
                          .seed = loader_seed_,
                          .step = number_ * (batches_ / parts_) + (taken_ - 1) / parts_});
  }

 private:
  void go_on() {
    if (++taken_ > batches_ || (taken_ - 1 - first_) % group_ != 0) return;
    for (std::size_t i = 0; i < group_; ++i) places_->let_go(half_ * group_ + i);
    if (!has_thread()) return fill(half_, taken_ - 1);
    std::unique_lock lock(ahead_->mutex);
    ahead_->changed.wait(lock, [this] { return ahead_->full; });
    if (ahead_->failure) std::rethrow_exception(ahead_->failure);
    half_ = 1 - half_;
    ahead_->full = false;
    lock.unlock();
    ahead_->changed.notify_one();
  }

  // What is given out at once: a batch, or a micro-batch.
  struct Part {
    std::size_t begin, size;    // in the order of the epoch
    std::size_t number, batch;  // among the micro-batches, and the samples of the whole batch
    bool counts;
  };

  struct Ahead {
    std::mutex mutex;
    std::condition_variable changed;
    bool full = false, stopping = false;
    std::exception_ptr failure;
    std::thread thread;
    const pid_t process = getpid();
  };

  // fork() copies the state of the thread, in the middle of whatever it did, and not the thread. There it is left alone
  // for good, since even its destructor would wait, and batches are made when they are asked for.
  bool has_thread() {
    if (ahead_ && ahead_->process != getpid()) static_cast<void>(ahead_.release());
    return ahead_ != nullptr;
  }

  void run(Ahead& ahead) const {
    std::size_t half = 1;
    for (std::size_t first = first_; first < batches_; first += group_, half = 1 - half) {
      try {
        fill(half, first);
      } catch (...) {
        ahead.failure = std::current_exception();
      }
      std::unique_lock lock(ahead.mutex);
      ahead.full = true;
      ahead.changed.notify_one();
      ahead.changed.wait(lock, [&] { return !ahead.full || ahead.stopping; });
      if (ahead.stopping) return;
    }
  }

  Part part_of(std::size_t index) const {
    const std::size_t begin = index / parts_ * batch_size_, batch = std::min(batch_size_, order_.size() - begin);
    if (!communicator_) return {begin, batch, 0, batch, true};
    const std::size_t number = communicator_->first_micro_batch() + index % parts_,
                      all = communicator_->micro_batches();
    const std::size_t from = batch * number / all, to = batch * (number + 1) / all;
    if (from == to) return {begin + batch - 1, 1, number, batch, false};
    return {begin + from, to - from, number, batch, true};
  }

  void fill(std::size_t half, std::size_t first) const {
    for (std::size_t i = 0; i < std::min(group_, batches_ - first); ++i) {
      const Part part = part_of(first + i);
      places_->fill(half * group_ + i, {order_.data() + part.begin, part.size}, seed_);
    }
  }

  const std::unique_ptr<Places> places_;
  const IndexTensor order_;
  const std::uint64_t seed_;  // of what is random in the epoch's samples
  const std::size_t batch_size_;
  const std::uint64_t loader_seed_, number_;
  Communicator* const communicator_;           // null where whole batches are given out
  const std::size_t parts_;                    // of each batch
  const std::size_t first_, batches_, group_;  // it begins with part first_

  std::size_t half_ = 0;          // of the places, which is the consumer's
  std::size_t taken_;             // of all the epoch's parts
  std::unique_ptr<Ahead> ahead_;  // null where no thread makes batches
};

LoaderBase::LoaderBase(std::size_t samples, LoaderOptions options) : samples_(samples), options_(std::move(options)) {
  if (options_.batch_size < 1)
    throw ValueError(message("[DataLoader] batch_size must be 1 or more, got ", options_.batch_size));
  if (size() == 0)
    throw ValueError(message("[DataLoader] batch_size ", options_.batch_size, " with drop_last leaves no batch of ",
                             samples, " samples"));
  const std::vector<double>& weights = options_.weights;
  const auto bad = [](double weight) { return !(weight >= 0 && std::isfinite(weight)); };
  if (!weights.empty() && (weights.size() != samples || std::any_of(weights.begin(), weights.end(), bad) ||
                           !(std::accumulate(weights.begin(), weights.end(), 0.0) > 0)))
    throw ValueError(
        message("[DataLoader] expected ", samples, " weights, finite, at least 0 and not all 0, got ", weights.size()));
  if (options_.seed)
    seed_ = *options_.seed;
  else if (options_.shuffle || options_.augment || !weights.empty())
    seed_ = default_generator().bits();
}

std::size_t LoaderBase::group_size(std::size_t sample_bytes) const {
  constexpr std::size_t bytes = 1 << 20;
  if (!options_.prefetch) return 1;
  const std::size_t parts = options_.communicator ? options_.communicator->micro_batches() : 1;
  const std::size_t samples = std::min(static_cast<std::size_t>(options_.batch_size), samples_) / parts;
  return std::clamp<std::size_t>(bytes / std::max<std::size_t>(samples * sample_bytes, 1), 1, 64);
}

std::shared_ptr<LoaderBase::Epoch> LoaderBase::start(std::size_t group, std::unique_ptr<Places> places) {
  Profile::mark("other");
  auto epoch = std::make_shared<Epoch>(*this, group, std::move(places));
  set_epoch(epoch_ + 1);
  last_ = epoch;
  return epoch;
}

bool LoaderBase::advance(Epoch& epoch) {
  Profile::mark("other");
  epoch.advance();
  Profile::mark("DataLoader");
  return !epoch.ended();
}

std::size_t LoaderBase::place(const Epoch& epoch) { return epoch.place(); }

StateDict LoaderBase::state_dict() const {
  const std::shared_ptr<const Epoch> last = last_.lock();
  const bool inside = last && !last->ended() && last->number() + 1 == epoch_;
  return {.scalars = {{"epoch", static_cast<double>(inside ? last->number() : epoch_)},
                      {"taken", static_cast<double>(inside ? last->taken() : taken_)},
                      {"batch_size", static_cast<double>(options_.batch_size)},
                      {"samples", static_cast<double>(samples_)}},
          .texts = {{"seed", std::to_string(seed_)}}};
}

void LoaderBase::load_state_dict(const StateDict& state) {
  StateReader reader("DataLoader", state);
  const std::uint64_t epoch = reader.count("epoch"), taken = reader.count("taken");
  const auto expect = [&reader](const char* name, std::uint64_t expected) {
    if (const std::uint64_t got = reader.count(name); got != expected)
      reader.misfit(name, ": expected ", expected, ", got ", got);
  };
  expect("batch_size", static_cast<std::uint64_t>(options_.batch_size));
  expect("samples", samples_);
  if (taken > size()) reader.misfit("taken: expected at most ", size(), ", got ", taken);
  const std::string text = reader.text("seed");
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    reader.misfit("seed: expected a number, got '", printable(text), "'");
  reader.finish();
  seed_ = seed, epoch_ = epoch, taken_ = taken;
  last_.reset();
}

std::size_t LoaderBase::size() const {
  const auto batch_size = static_cast<std::size_t>(options_.batch_size);
  return (samples_ + (options_.drop_last ? 0 : batch_size - 1)) / batch_size;
}

}  // namespace xgrad::datasets
