#include "together.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace train {

using xgrad::Communicator, xgrad::ProcessError;

Together::Together() {
  if (Communicator::launched_as().value_or(0) == 0) return;
  error_output_ = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

void Together::connect(const Options& options) {
  if (communicator_ || !(options.micro_batches || Communicator::launched_as())) return;
  xgrad::CommunicatorOptions given{.deadline = options.deadline};
  if (options.micro_batches) given.micro_batches = *options.micro_batches;
  communicator_.emplace(given);
}

// The first process may be the one that is missed.
void Together::speak_if_first() {
  if (communicator_->is_first() && error_output_ >= 0) dup2(error_output_, STDERR_FILENO);
}

void Together::raise(const char* failure, const Options& options) {
  connect(options);
  try {
    communicator_->raise(failure);
  } catch (const ProcessError& of_all) {
    speak_if_first();
    if (std::strcmp(of_all.what(), failure) != 0) throw;
  }
}

int Together::run(const Options& options, const std::function<int(Communicator*)>& body) {
  connect(options);
  if (!communicator_) return body(nullptr);
  try {
    return body(&*communicator_);
  } catch (const ProcessError&) {
    speak_if_first();
    throw;
  } catch (const std::exception& error) {
    raise(error.what(), options);
    throw;
  }
}

}  // namespace train
