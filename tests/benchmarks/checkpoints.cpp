// Saving and loading many small tensors, whose time must grow with their number, and one large: checkpoints FOLDER
// prints WORK,SECONDS lines.
#include <xgrad/core/safetensors.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace xgrad;

namespace {

double seconds(const auto& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(const std::filesystem::path& folder, std::size_t tensors, std::size_t size) {
  const std::filesystem::path file = folder / "checkpoint";
  StateDict state;
  for (std::size_t i = 0; i < tensors; ++i)
    state.tensors.emplace_back(message("layer.", i, ".weight"), ones(Shape{size}));
  const double saving = seconds([&] { save_safetensors(file, state); });
  const double loading = seconds([&] { load_safetensors(file); });
  std::printf("save %zu tensors of %zu,%.6f\nload %zu tensors of %zu,%.6f\n", tensors, size, saving, tensors, size,
              loading);
  std::filesystem::remove(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::size_t share = std::getenv("XGRAD_QUICK") ? 100 : 1;
  for (const std::size_t tensors : {10000, 20000, 40000, 100000}) measure(argv[1], tensors / share, 4);
  measure(argv[1], 1, 100'000'000 / share);
}
