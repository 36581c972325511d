// Batches of samples, shuffled and prefetched.
#pragma once

#include <xgrad/core/communicator.h>
#include <xgrad/core/state_dict.h>
#include <xgrad/datasets/dataset.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>

namespace xgrad::datasets {

struct LoaderOptions {
  std::ptrdiff_t batch_size = 64;
  bool shuffle = false;                      ///< a new order each epoch
  bool drop_last = false;                    ///< leave out a last batch that is smaller than the others
  std::optional<Augmentation> augment = {};  ///< distort each image anew in each epoch: {.augment = Augmentation{}}
  std::optional<std::uint64_t> seed = {};    ///< of all that is random; else drawn from default_generator()
  bool prefetch = true;                      ///< make the next batch on a thread while the last one is used
  /// One for each sample. An epoch is then as many draws as there are samples, with replacement and in proportion to
  /// these: balanced_weights(data.labels()).
  std::vector<double> weights = {};
  /// Give out the micro-batches of this process, one after the other, in place of whole batches: each is one step() of
  /// a DistributedOptimizer. An empty one, of a batch that has fewer samples than micro-batches, is one sample that
  /// counts for nothing. It must outlive the loops.
  Communicator* communicator = nullptr;
};

/// What a DataLoader draws from, such as Dataset, TensorDataset, or a class of one's own: a number of samples, and a
/// way to make a batch of some of them, in one that was made before or is empty, which may happen on another thread.
/// What is random in it comes from the seed, which is of the epoch, and the number of the sample. It may also say
/// sample_bytes(), the memory that a sample takes in a batch: several small batches are then made at once.
template <class Data>
concept SampleSource = requires(const Data& data, typename Data::Batch& batch) {
  { data.size() } -> std::convertible_to<std::size_t>;
  data.fill(batch, std::span<const std::int64_t>(), std::uint64_t());
};

/// What a DataLoader is apart from its data.
class LoaderBase {
 public:
  std::default_sentinel_t end() const { return {}; }

  /// The number of batches in an epoch, each of which a communicator divides.
  std::size_t size() const;
  std::uint64_t seed() const { return seed_; }
  /// The number of the epoch that begin() starts next: 0 at first.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch, taken_ = 0; }

  /// The seed, and where it stands. Inside a loop over the epoch that was started last, that is after the batch in use;
  /// once the loop is left, at the begin of the next epoch.
  StateDict state_dict() const;
  /// The next begin() goes on there, with the batches that were left, which are none after the last one. DataError,
  /// before anything changes, for a state of other data or of another batch_size.
  void load_state_dict(const StateDict& state);

 protected:
  class Epoch;
  /// What an Epoch has made: batch after batch, each in a place of its own until it is made again.
  struct Places {
    virtual ~Places() = default;
    virtual void fill(std::size_t place, std::span<const std::int64_t> samples, std::uint64_t seed) = 0;
    virtual void let_go(std::size_t place) = 0;  ///< of what somebody else has kept of it
  };

  LoaderBase(std::size_t samples, LoaderOptions options);
  /// How many batches are made at once; twice as many places are needed.
  std::size_t group_size(std::size_t sample_bytes) const;
  std::shared_ptr<Epoch> start(std::size_t group, std::unique_ptr<Places> places);
  /// Goes to the next batch. False after the last.
  static bool advance(Epoch& epoch);
  static std::size_t place(const Epoch& epoch);

 private:
  std::size_t samples_;
  LoaderOptions options_;
  std::uint64_t seed_ = 0;
  std::uint64_t epoch_ = 0;
  std::size_t taken_ = 0;  // batches that the next epoch leaves out
  std::weak_ptr<const Epoch> last_;
};

/// for (const auto& [images, labels] : loader) … is one epoch. The order depends on nothing but the seed and the number
/// of the epoch, and an image's distortion on these and its index in the dataset; prefetching changes neither. A
/// process forked within the loop may go on with it, or leave it: there batches are made when they are asked for.
template <SampleSource Data = Dataset>
class DataLoader : public LoaderBase {
 public:
  using Batch = typename Data::Batch;
  class Iterator;

  /// ValueError for a batch_size below 1, where drop_last would leave no batch at all, for a bad Augmentation, or one
  /// of samples that are no images, and for weights that are negative, not finite, all 0 or of another number.
  explicit DataLoader(Data data, LoaderOptions options = {})
      : LoaderBase(data.size(), options), data_(augmented(std::move(data), options)) {}

  /// Starts the next epoch. The iterator owns it: leaving the loop ends it, and epochs may run side by side.
  Iterator begin();
  const Data& dataset() const { return data_; }

 private:
  struct Batches : Places {
    Batches(Data source, std::size_t count) : data(std::move(source)), all(count) {}
    void fill(std::size_t at, std::span<const std::int64_t> samples, std::uint64_t seed) override {
      data.fill(all[at], samples, seed);
    }
    void let_go(std::size_t at) override { forget_shared(all[at]); }
    const Data data;
    std::vector<Batch> all;
  };

  static void forget_shared(Variable& variable) {
    if (!variable.unique()) variable = {};
  }
  static void forget_shared(datasets::Batch& batch) { forget_shared(batch.images); }
  template <class... Parts>
  static void forget_shared(std::tuple<Parts...>& batch) {
    std::apply([](Parts&... parts) { (forget_shared(parts), ...); }, batch);
  }
  static void forget_shared(IndexTensor&) {}
  template <class Other>
  static void forget_shared(Other& batch) {
    batch = {};  // whatever is in it, somebody may have kept it
  }

  static Data augmented(Data data, const LoaderOptions& options);

  Data data_;
};

/// An input iterator. A batch stays as it is until ++; its storage is then used again, unless a copy of the Variable is
/// kept.
template <SampleSource Data>
class DataLoader<Data>::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  const Batch& operator*() const { return batches_->all[place(*epoch_)]; }
  const Batch* operator->() const { return &**this; }
  Iterator& operator++() {
    inside_ = advance(*epoch_);
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !inside_; }

 private:
  friend class DataLoader;
  Iterator(std::shared_ptr<Epoch> epoch, const Batches* batches) : epoch_(std::move(epoch)), batches_(batches) {
    ++*this;
  }
  std::shared_ptr<Epoch> epoch_;
  const Batches* batches_;  // the epoch's
  bool inside_ = false;
};

template <SampleSource Data>
auto DataLoader<Data>::begin() -> Iterator {
  std::size_t group = 1;
  if constexpr (requires { data_.sample_bytes(); }) group = group_size(data_.sample_bytes());
  auto batches = std::make_unique<Batches>(data_, 2 * group);
  const Batches* const seen = batches.get();
  return Iterator(start(group, std::move(batches)), seen);
}

template <SampleSource Data>
Data DataLoader<Data>::augmented(Data data, const LoaderOptions& options) {
  if (!options.augment) return data;
  if constexpr (requires { data.augmented(*options.augment); })
    return data.augmented(*options.augment);
  else
    throw ValueError("[DataLoader] augment distorts images, and these samples are none");
}

}  // namespace xgrad::datasets
