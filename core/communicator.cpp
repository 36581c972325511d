// What needs no MPI, apart from what does: a program that trains alone then loads none.
#include <xgrad/core/communicator.h>
#include <xgrad/core/random.h>

#include <cstdlib>
#include <initializer_list>

namespace xgrad {
namespace {

std::optional<std::size_t> number_in(std::initializer_list<const char*> variables) {
  for (const char* name : variables)
    if (const char* text = std::getenv(name)) return std::strtoul(text, nullptr, 10);
  return {};
}

}  // namespace

std::optional<std::size_t> Communicator::launched_as() {
  return number_in({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"});
}

// What a launcher says that there are: mpirun of Open MPI, or srun and others that speak PMI. PMIx does not say it.
std::size_t Communicator::launched_processes() {
  return number_in({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}).value_or(Communicator::launched_as() ? 2 : 1);
}

void Communicator::begin(const MicroBatch& micro_batch) {
  current_ = micro_batch, has_begun_ = true;
  constexpr std::uint64_t within_steps = std::uint64_t{1} << 63;
  default_generator() =
      Generator(micro_batch.seed, within_steps | (micro_batch.step * micro_batches() + micro_batch.number));
}

void Communicator::end_step() {
  constexpr std::uint64_t between_steps = std::uint64_t{3} << 62;
  default_generator() = Generator(current_.seed, between_steps | current_.step);
}

const MicroBatch& Communicator::current() const {
  if (!has_begun_)
    throw GraphError("[Communicator] no micro-batch has begun: give the DataLoader {.communicator = &communicator}");
  return current_;
}

}  // namespace xgrad
