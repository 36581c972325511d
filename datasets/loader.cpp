#include <unistd.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace xgrad::datasets {

// One pass over the data. Batches change hands in groups: waking a thread takes longer than filling a small batch.
// `current_` belongs to the consumer; `ahead_->batches` to the thread while they are not `full`, and to the consumer
// while they are.
class DataLoader::Epoch {
 public:
  explicit Epoch(const DataLoader& loader)
      : dataset_(loader.dataset_),
        order_(loader.options_.shuffle ? Generator(loader.seed_, loader.epoch_).permutation(dataset_.size())
                                       : IndexTensor::from_shape({0})),
        augmenter_(loader.augmenter_),
        augmentation_seed_(Generator(loader.seed_, loader.epoch_).bits()),
        pixels_(element_count(dataset_.image_shape())),
        batch_size_(static_cast<std::size_t>(loader.options_.batch_size)),
        number_(loader.epoch_),
        first_(loader.taken_),
        batches_(loader.size()),
        group_(loader.options_.prefetch ? group_size() : 1),
        current_(group_),
        taken_(first_) {
    if (!loader.options_.prefetch || batches_ - first_ <= group_) return;
    ahead_ = std::make_unique<Ahead>(group_);
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
  std::size_t taken() const { return taken_; }
  const Batch& batch() const { return current_[(taken_ - 1 - first_) % group_]; }
  bool ended() const { return taken_ > batches_; }

  void advance() {
    if (++taken_ > batches_ || (taken_ - 1 - first_) % group_ != 0) return;
    for (Batch& batch : current_)
      if (!batch.images.unique()) batch.images = {};  // kept by somebody: leave it alone
    if (!has_thread()) return fill(current_, taken_ - 1);
    std::unique_lock lock(ahead_->mutex);
    ahead_->changed.wait(lock, [this] { return ahead_->full; });
    if (ahead_->failure) std::rethrow_exception(ahead_->failure);
    std::swap(current_, ahead_->batches);
    ahead_->full = false;
    lock.unlock();
    ahead_->changed.notify_one();
  }

 private:
  struct Ahead {
    explicit Ahead(std::size_t group) : batches(group) {}

    std::vector<Batch> batches;
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
    for (std::size_t first = first_; first < batches_; first += group_) {
      try {
        fill(ahead.batches, first);
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

  std::size_t group_size() const {
    constexpr std::size_t bytes = 1 << 20;
    return std::clamp<std::size_t>(bytes / (std::min(batch_size_, dataset_.size()) * pixels_ * sizeof(Scalar)), 1, 64);
  }

  void fill(std::vector<Batch>& group, std::size_t first) const {
    for (std::size_t i = 0; i < std::min(group_, batches_ - first); ++i) fill(group[i], first + i);
  }

  void fill(Batch& batch, std::size_t index) const {
    const std::size_t begin = index * batch_size_, count = std::min(batch_size_, dataset_.size() - begin);
    const Shape& image = dataset_.image_shape();
    const Shape shape = {count, image[0], image[1], image[2]};
    if (!batch.images || batch.images.shape() != shape) batch.images = Variable(Tensor::from_shape(shape));
    batch.labels.resize({count});
    const std::uint8_t *images = dataset_.images().data(), *labels = dataset_.labels().data();
    Scalar* to = batch.images.mutable_value().data();
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 2 < count) fetch(images + sample(begin + i + 2) * pixels_);
      const std::size_t from = sample(begin + i);
      if (augmenter_)
        warp(images + from * pixels_, image, augmenter_->source(augmentation_seed_ + from), to + i * pixels_);
      else
        to_unit(images + from * pixels_, pixels_, to + i * pixels_);
      batch.labels.data()[i] = labels[from];
    }
  }

  // In shuffled order no processor guesses the next image. Asked for early, it halves the time of a batch.
  void fetch(const std::uint8_t* image) const {
    constexpr std::size_t cache_line = 64;
    for (std::size_t at = 0; at < pixels_; at += cache_line) __builtin_prefetch(image + at);
  }

  std::size_t sample(std::size_t position) const {
    return order_.size() == 0 ? position : static_cast<std::size_t>(order_.data()[position]);
  }

  const Dataset dataset_;
  const IndexTensor order_;  // empty: as they come
  const std::optional<Augmenter> augmenter_;
  const std::uint64_t augmentation_seed_;  // of the epoch: an image's is its index higher
  const std::size_t pixels_, batch_size_;
  const std::uint64_t number_;
  const std::size_t first_, batches_, group_;  // it begins with batch first_

  std::vector<Batch> current_;
  std::size_t taken_;             // of all the epoch's batches
  std::unique_ptr<Ahead> ahead_;  // null where no thread makes batches
};

DataLoader::DataLoader(Dataset dataset, LoaderOptions options) : dataset_(std::move(dataset)), options_(options) {
  if (options_.batch_size < 1)
    throw ValueError(message("[DataLoader] batch_size must be 1 or more, got ", options_.batch_size));
  if (size() == 0)
    throw ValueError(message("[DataLoader] batch_size ", options_.batch_size, " with drop_last leaves no batch of ",
                             dataset_.size(), " samples"));
  if (options_.augment) augmenter_.emplace(*options_.augment, dataset_.image_shape());
  if (options_.seed)
    seed_ = *options_.seed;
  else if (options_.shuffle || options_.augment)
    seed_ = default_generator().bits();
}

DataLoader::Iterator DataLoader::begin() {
  Profile::mark("other");
  auto epoch = std::make_shared<Epoch>(*this);
  set_epoch(epoch_ + 1);
  last_ = epoch;
  return Iterator(std::move(epoch));
}

StateDict DataLoader::state_dict() const {
  const std::shared_ptr<const Epoch> last = last_.lock();
  const bool inside = last && !last->ended() && last->number() + 1 == epoch_;
  return {.scalars = {{"epoch", static_cast<double>(inside ? last->number() : epoch_)},
                      {"taken", static_cast<double>(inside ? last->taken() : taken_)},
                      {"batch_size", static_cast<double>(options_.batch_size)},
                      {"samples", static_cast<double>(dataset_.size())}},
          .texts = {{"seed", std::to_string(seed_)}}};
}

void DataLoader::load_state_dict(const StateDict& state) {
  StateReader reader("DataLoader", state);
  const std::uint64_t epoch = reader.count("epoch"), taken = reader.count("taken");
  const auto expect = [&reader](const char* name, std::uint64_t expected) {
    if (const std::uint64_t got = reader.count(name); got != expected)
      reader.misfit(name, ": expected ", expected, ", got ", got);
  };
  expect("batch_size", static_cast<std::uint64_t>(options_.batch_size));
  expect("samples", dataset_.size());
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

std::size_t DataLoader::size() const {
  const auto batch_size = static_cast<std::size_t>(options_.batch_size);
  return (dataset_.size() + (options_.drop_last ? 0 : batch_size - 1)) / batch_size;
}

DataLoader::Iterator::Iterator(std::shared_ptr<Epoch> epoch) : epoch_(std::move(epoch)) {
  epoch_->advance();
  Profile::mark("DataLoader");
}
const Batch& DataLoader::Iterator::operator*() const { return epoch_->batch(); }
DataLoader::Iterator& DataLoader::Iterator::operator++() {
  Profile::mark("other");
  epoch_->advance();
  Profile::mark("DataLoader");
  return *this;
}
bool DataLoader::Iterator::operator==(std::default_sentinel_t) const { return epoch_->ended(); }

}  // namespace xgrad::datasets
