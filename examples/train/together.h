// What `train` has to do where mpirun has started it several times.
#pragma once

#include <xgrad/core/communicator.h>

#include <cstddef>
#include <functional>
#include <optional>

namespace train {

/// One command that runs in several processes: the first of them is heard, and what one throws, all throw.
class Together {
 public:
  struct Options {
    std::optional<std::size_t> micro_batches = {};  ///< 8 where a launcher started the process, else whole batches
    double deadline = xgrad::CommunicatorOptions().deadline;
  };

  /// From now on what other processes than the first print is not seen.
  Together();

  /// `first`, which may throw in some of the processes, before they know of each other.
  template <class Call>
  auto agree(Call first) -> decltype(first()) {
    try {
      return first();
    } catch (const std::exception& error) {
      if (xgrad::Communicator::launched_as()) raise(error.what(), {});
      throw;
    }
  }
  /// `body` gets null where there are no micro-batches.
  int run(const Options& options, const std::function<int(xgrad::Communicator*)>& body);

 private:
  void connect(const Options& options);
  /// Returns where all processes have failed in this way.
  void raise(const char* failure, const Options& options);
  void speak_if_first();

  std::optional<xgrad::Communicator> communicator_;
  int error_output_ = -1;  // what standard error was
};

}  // namespace train
