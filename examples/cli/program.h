// What is around each program: its errors, its output, and the signals that end it.
#pragma once

#include <atomic>
#include <functional>

namespace cli {

/// Runs a program and returns its exit status: what `run` returns, or 2 for a UsageError and 1 for any other error,
/// each of which becomes a line on standard error with the program's name. 1 also where something that was printed
/// could not be written: to a full disk, or to a reader that has gone away (SIGPIPE is ignored).
int run_program(const char* name, const std::function<int()>& run);

/// From now on the first SIGINT (Ctrl-C), SIGTERM (`kill`, a scheduler) or SIGHUP (a closed terminal) only sets the
/// number that is returned, which is 0 until then; the second one ends the program at once. SIGHUP stays ignored where
/// it is (nohup).
const std::atomic<int>& catch_stop_signals();

}  // namespace cli
