// Batches of a Dataset, shuffled and prefetched.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/state_dict.h>
#include <xgrad/datasets/augment.h>
#include <xgrad/datasets/dataset.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>

namespace xgrad::datasets {

struct Batch {
  Variable images;     ///< (batch, channels, height, width), bytes scaled to [0, 1]
  IndexTensor labels;  ///< (batch,)
};

struct LoaderOptions {
  std::ptrdiff_t batch_size = 64;
  bool shuffle = false;                      ///< a new order each epoch
  bool drop_last = false;                    ///< leave out a last batch that is smaller than the others
  std::optional<Augmentation> augment = {};  ///< distort each image anew in each epoch: {.augment = Augmentation{}}
  std::optional<std::uint64_t> seed = {};    ///< of shuffles and distortions; else drawn from default_generator()
  bool prefetch = true;                      ///< make the next batch on a thread while the last one is used
};

/// for (const auto& [images, labels] : loader) … is one epoch. The order depends on nothing but the seed and the number
/// of the epoch, and an image's distortion on these and its index in the dataset; prefetching changes neither. A
/// process forked within the loop may go on with it, or leave it: there batches are made when they are asked for.
class DataLoader {
 public:
  class Iterator;

  /// ValueError for a batch_size below 1, where drop_last would leave no batch at all, or for a bad Augmentation.
  explicit DataLoader(Dataset dataset, LoaderOptions options = {});

  /// Starts the next epoch. The iterator owns it: leaving the loop ends it, and epochs may run side by side.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  /// The number of batches in an epoch.
  std::size_t size() const;
  const Dataset& dataset() const { return dataset_; }

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

 private:
  class Epoch;

  Dataset dataset_;
  LoaderOptions options_;
  std::optional<Augmenter> augmenter_;
  std::uint64_t seed_ = 0;
  std::uint64_t epoch_ = 0;
  std::size_t taken_ = 0;  // batches that the next epoch leaves out
  std::weak_ptr<const Epoch> last_;
};

/// An input iterator. A batch stays as it is until ++; its storage is then used again, unless a copy of the Variable is
/// kept.
class DataLoader::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  const Batch& operator*() const;
  const Batch* operator->() const { return &**this; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const;

 private:
  friend class DataLoader;
  explicit Iterator(std::shared_ptr<Epoch> epoch);
  std::shared_ptr<Epoch> epoch_;
};

}  // namespace xgrad::datasets
