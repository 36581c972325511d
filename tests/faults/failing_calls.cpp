#include "failing_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): glibc's own names of what stands behind
// malloc(), so that to find it needs no dlsym(), which allocates.
extern "C" {
void* __libc_malloc(std::size_t size) noexcept;
void* __libc_calloc(std::size_t count, std::size_t size) noexcept;
void* __libc_realloc(void* old, std::size_t size) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t size) noexcept;
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

namespace faults {
namespace {

std::atomic<long> seen[calls];  // since fail()
std::atomic<int> armed{-1};     // the Call that fails, or none
std::atomic<long> at{0};
std::atomic<bool> and_after{false};

bool fails(Call call) {
  const int kind = static_cast<int>(call);
  const long number = ++seen[kind];
  return armed == kind && (and_after ? number >= at : number == at);
}

bool is_regular(int descriptor) {
  struct stat status {};
  return descriptor > STDERR_FILENO && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The next library's function, or -1 with the reason.
template <class Function, class... Arguments>
auto pass(bool failing, int reason, const char* name, Arguments... arguments) -> decltype(Function{}(arguments...)) {
  if (!failing) return next<std::remove_pointer_t<Function>>(name)(arguments...);
  errno = reason;
  return -1;
}

void* out_of_memory() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

void fail(Call call, long nth, bool onwards) {
  for (std::atomic<long>& count : seen) count = 0;
  at = nth, and_after = onwards, armed = static_cast<int>(call);
}

long stop() {
  const int kind = armed.exchange(-1);
  return kind < 0 ? 0 : seen[kind].load();
}

namespace {

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

void arm_from_environment() {
  const char* wish = std::getenv("XGRAD_FAULT");
  if (!wish) return;
  char name[32] = "", rest[32] = "";
  long nth = 0;
  if (std::sscanf(wish, "%31s %ld %31s", name, &nth, rest) >= 2)
    for (int kind = 0; kind < calls; ++kind)
      if (std::strcmp(name, names[kind]) == 0 && nth > 0)
        return fail(Call{kind}, nth, std::strcmp(rest, "onwards") == 0);
  std::fprintf(stderr, "XGRAD_FAULT: not understood: %s\n", wish);
  std::abort();
}

int main_with_faults(int argc, char** argv, char** environment) {
  const char* counts = std::getenv("XGRAD_FAULT_COUNT");
  arm_from_environment();
  if (counts)
    for (std::atomic<long>& count : seen) count = 0;
  const int status = real_main(argc, argv, environment);
  if (counts) {
    long seen_in_main[calls];
    for (int kind = 0; kind < calls; ++kind) seen_in_main[kind] = seen[kind];
    std::FILE* file = std::fopen(counts, "w");
    if (!file) std::abort();
    for (int kind = 0; kind < calls; ++kind) std::fprintf(file, "%s %ld\n", names[kind], seen_in_main[kind]);
    std::fclose(file);
  }
  return status;
}

}  // namespace
}  // namespace faults

using faults::Call;

extern "C" {

void* malloc(std::size_t size) noexcept {
  return faults::fails(Call::allocation) ? faults::out_of_memory() : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return faults::fails(Call::allocation) ? faults::out_of_memory() : __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  return faults::fails(Call::allocation) ? faults::out_of_memory() : __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return faults::fails(Call::allocation) ? faults::out_of_memory() : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  void* const memory = memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

ssize_t read(int file, void* to, std::size_t bytes) {
  const bool failing = faults::is_regular(file) && faults::fails(Call::read);
  return faults::pass<ssize_t (*)(int, void*, std::size_t)>(failing, EIO, "read", file, to, bytes);
}
ssize_t write(int file, const void* from, std::size_t bytes) {
  const bool failing = faults::is_regular(file) && faults::fails(Call::write);
  return faults::pass<ssize_t (*)(int, const void*, std::size_t)>(failing, ENOSPC, "write", file, from, bytes);
}
ssize_t writev(int file, const iovec* from, int count) {
  const bool failing = faults::is_regular(file) && faults::fails(Call::write);
  return faults::pass<ssize_t (*)(int, const iovec*, int)>(failing, ENOSPC, "writev", file, from, count);
}
int fsync(int file) { return faults::pass<int (*)(int)>(faults::fails(Call::fsync), EIO, "fsync", file); }
int fdatasync(int file) { return faults::pass<int (*)(int)>(faults::fails(Call::fsync), EIO, "fdatasync", file); }
int rename(const char* from, const char* to) noexcept {
  return faults::pass<int (*)(const char*, const char*)>(faults::fails(Call::rename), EIO, "rename", from, to);
}
int renameat(int folder, const char* from, int to_folder, const char* to) noexcept {
  return faults::pass<int (*)(int, const char*, int, const char*)>(faults::fails(Call::rename), EIO, "renameat", folder,
                                                                   from, to_folder, to);
}
int renameat2(int folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return faults::pass<int (*)(int, const char*, int, const char*, unsigned)>(
      faults::fails(Call::rename), EIO, "renameat2", folder, from, to_folder, to, flags);
}

// What a program allocates before main(), its constants say, has nobody to catch that it failed: nothing fails there.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming)
int __libc_start_main(faults::Main main, int argc, char** argv, void (*init)(), void (*end)(), void (*last)(),
                      void* stack) {
  faults::real_main = main;
  using Start = int(faults::Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  return faults::next<Start>("__libc_start_main")(faults::main_with_faults, argc, argv, init, end, last, stack);
}
}
