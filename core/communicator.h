// Processes that train one network together, through MPI (Message Passing Interface Forum 2015). Without MPI, and where
// nobody started several processes, there is one.
#pragma once

#include <xgrad/core/errors.h>
#include <xgrad/core/tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad {

/// What all processes throw together where one of them failed, or did not arrive.
struct ProcessError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct CommunicatorOptions {
  /// A power of two: into so many micro-batches a step's batch is cut, whatever the number of processes.
  std::size_t micro_batches = 8;
  /// Seconds, above 0: how long a process waits for the others before that is an error.
  double deadline = 60;
};

/// A part of a step's batch: what goes forward and backward at once.
struct MicroBatch {
  std::size_t number;   ///< its place among those of the batch, from 0
  std::size_t samples;  ///< how many of the batch's samples are in it; 0 where it is to count for nothing
  std::size_t batch;    ///< how many samples the batch has
  std::uint64_t seed;   ///< of what is random in it, dropout say, …
  std::uint64_t step;   ///< … together with the number of the step and its own
};

/// The processes that one `mpirun` or `srun` started, and how a batch is divided among them: each gets as many
/// micro-batches as the others, which follow each other. What they have to add up is added as one binary tree over the
/// micro-batches, whose lower parts a process adds by itself: so the bits do not depend on the number of processes.
///
/// What all have to call is marked (all). There each process first hears of every other whether it is at the same call,
/// whether it failed, and whether it has ended: then all of them throw the same ProcessError, and nobody waits for
/// ever. One Communicator lives at a time, on one thread.
class Communicator {
 public:
  /// (all) ValueError for options out of range, and for a number of processes that is no power of two, or above
  /// micro_batches. ProcessError where the library has no MPI, and where the processes are not of one version of the
  /// library and one scalar type.
  explicit Communicator(CommunicatorOptions options = {});
  /// Lets the others know that this process has ended. Where they can no longer be reached, it ends them all.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// The number that a launcher gave this process; nothing where there was none.
  static std::optional<std::size_t> launched_as();

  std::size_t rank() const { return rank_; }  ///< the number of this process, from 0
  std::size_t size() const { return size_; }  ///< the number of processes
  /// Whether this process is the one that speaks to the user: the first, or the first of those that still answer.
  bool is_first() const { return rank_ == speaker_; }

  std::size_t micro_batches() const { return options_.micro_batches; }
  /// Those of this process: so many, from first_micro_batch() on.
  std::size_t own_micro_batches() const { return options_.micro_batches / size_; }
  std::size_t first_micro_batch() const { return rank_ * own_micro_batches(); }

  /// What comes now belongs to this micro-batch. default_generator() starts anew, with numbers that no other
  /// micro-batch gets. DataLoader calls it.
  void begin(const MicroBatch& micro_batch);
  /// The step is made. default_generator() starts anew, with the same numbers in all processes.
  void end_step();
  /// GraphError where nothing has begun.
  const MicroBatch& current() const;

  /// (all) The texts of all processes, in their order.
  std::vector<std::string> gather(std::string_view mine);
  /// (all) The same of numbers.
  std::vector<std::vector<double>> gather(const std::vector<double>& mine);
  /// (all) Adds over all micro-batches: `numbers` are `width` of each of this process's, in order.
  std::vector<double> sum(std::vector<double> numbers, std::size_t width);
  /// (all) Process p sends its elements from begins[q] to begins[q + 1] to each other process q. `received` gets what
  /// comes from process 0, from 1, …, without a place for its own.
  void exchange(std::span<const Scalar> elements, std::span<const std::size_t> begins, std::span<Scalar> received);
  /// (all) Each process has the elements from begins[rank] to begins[rank + 1], and gets all others.
  void gather(std::span<Scalar> elements, std::span<const std::size_t> begins);
  /// (all) ProcessError, with both texts, where a process has another one than the first.
  void require_same(std::string_view what, std::string_view mine);
  /// (all that go on) What failed in this process only becomes the ProcessError of all.
  [[noreturn]] void raise(std::string_view failure);

 private:
  struct Header;
  static std::size_t launched_processes();
  void meet(std::string_view call, std::uint64_t size, bool same_size, std::string_view failure = {});
  void judge(std::string_view failure);

  CommunicatorOptions options_;
  std::size_t rank_ = 0, size_ = 1, speaker_ = 0;
  bool lost_ = false;  // some process is out of reach
  bool has_begun_ = false;
  MicroBatch current_ = {};
  std::vector<Header> headers_;  // of all processes, at the last meeting
};

}  // namespace xgrad
