// Calls of the system that fail when they are told to: the library failing_calls stands before the C library's, linked
// or as LD_PRELOAD. What nobody has asked to fail is passed on.
//
// A program that knows nothing of it is told by the environment, from the begin of its main() on:
//   XGRAD_FAULT="write 3"                the third write fails
//   XGRAD_FAULT="allocation 40 onwards"  the fortieth allocation fails, and every one after it
//   XGRAD_FAULT_COUNT=FILE               main() leaves there how many calls of each kind it has made
#pragma once

namespace faults {

/// What can fail: malloc and all its relatives, new among them (ENOMEM); read (EIO), write (ENOSPC), fsync and
/// fdatasync (EIO), each of regular files alone, so that errors can still be reported; rename (EIO).
enum class Call { allocation, read, write, fsync, rename };
constexpr const char* names[] = {"allocation", "read", "write", "fsync", "rename"};
constexpr int calls = 5;

/// From now on the nth call (counted from 1, in all threads) fails, and if `onwards`, so does every one after it.
void fail(Call call, long nth, bool onwards);
/// Nothing fails any more. Returns how many calls of that kind there were since fail().
long stop();

}  // namespace faults
