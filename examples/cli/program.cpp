#include "program.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "text.h"

namespace cli {
namespace {

std::atomic<int> stop = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler sets it");

}  // namespace

int run_program(const char* name, const std::function<int()>& run) {
  constexpr int failed = 1, misused = 2;
  std::signal(SIGPIPE, SIG_IGN);
  int status = failed;
  try {
    status = run();
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    status = misused;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: out of memory\n", name);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
  }
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return status;
  std::fprintf(stderr, "%s: cannot write the output\n", name);
  return status == 0 ? failed : status;
}

const std::atomic<int>& catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { stop = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (signal != SIGHUP || before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  return stop;
}

}  // namespace cli
