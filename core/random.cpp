// Built with -ffp-contract=off: a fused multiply-add rounds once where two instructions round twice, and the bits would
// depend on the processor.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <cmath>
#include <locale>
#include <mutex>
#include <numeric>
#include <sstream>
#include <utility>

namespace xgrad {
namespace {

// The natural logarithm from exactly rounded operations only, since std::log may differ in its last bit from one C
// library to the next. x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s) with s = (m - 1) / (m + 1).
double portable_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) m *= 2, --exponent;
  const double s = (m - 1) / (m + 1), s2 = s * s;
  double series = 0;
  for (int k = 23; k >= 1; k -= 2) series = series * s2 + 1.0 / k;  // s^23 / 23 < 1e-18 for these m
  return 2 * s * series + exponent * 0.69314718055994531;
}

// No seed leads to the state of all zeros, which the engine never leaves: normal() would look for other numbers for
// ever. What is left of the present words, and then all the next ones, are zero only there.
bool gives_only_zeros(std::mt19937_64 engine) {
  for (std::size_t i = 0; i < 2 * engine.state_size; ++i)
    if (engine() != 0) return false;
  return true;
}

}  // namespace

Generator::Generator(std::uint64_t seed, std::uint64_t stream) {
  std::seed_seq words{seed & 0xffffffff, seed >> 32, stream & 0xffffffff, stream >> 32};
  engine_.seed(words);
}

double Generator::normal() {
  if (std::exchange(has_spare_, false)) return spare_;
  double u = 0, v = 0, s = 0;
  do {
    u = uniform(-1, 1), v = uniform(-1, 1);
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  const double scale = std::sqrt(-2 * portable_log(s) / s);
  spare_ = v * scale, has_spare_ = true;
  return u * scale;
}

std::uint64_t Generator::below(std::uint64_t bound) {
  if (bound == 0) throw ValueError("[below] expected a bound of 1 or more, got 0");
  const std::uint64_t rejected = (0 - bound) % bound;  // 2^64 mod bound: the draws that would favour small results
  std::uint64_t draw = engine_();
  while (draw < rejected) draw = engine_();
  return draw % bound;
}

Tensor Generator::uniform(const Shape& shape, double low, double high) {
  Tensor result = uninitialized(shape);
  for (Scalar& x : result.storage()) x = static_cast<Scalar>(uniform(low, high));
  return result;
}

Tensor Generator::normal(const Shape& shape, double mean, double standard_deviation) {
  Tensor result = uninitialized(shape);
  for (Scalar& x : result.storage()) x = static_cast<Scalar>(mean + standard_deviation * normal());
  return result;
}

IndexTensor Generator::permutation(std::size_t count) {
  IndexTensor order = IndexTensor::from_shape({count});
  std::iota(order.storage().begin(), order.storage().end(), 0);
  for (std::size_t i = count; i > 1; --i) std::swap(order.storage()[i - 1], order.storage()[below(i)]);
  return order;
}

StateDict Generator::state_dict() const {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);  // or it keeps to itself that memory was short, and the text is cut off
  text.imbue(std::locale::classic());
  text << engine_;
  return {.scalars = {{"spare", spare_}, {"has_spare", has_spare_}}, .texts = {{"engine", text.str()}}};
}

void Generator::load_state_dict(const StateDict& state) {
  StateReader reader("Generator", state);
  Generator loaded;
  std::istringstream text(reader.text("engine"));
  text.exceptions(std::ios::badbit);
  text.imbue(std::locale::classic());
  if (!(text >> loaded.engine_) || text.peek() != std::istringstream::traits_type::eof())
    reader.misfit("engine: expected the state of std::mt19937_64");
  else if (gives_only_zeros(loaded.engine_))
    reader.misfit("engine: expected the state of std::mt19937_64, got one that gives nothing but zeros");
  loaded.spare_ = reader.scalar("spare");
  if (!std::isfinite(loaded.spare_)) reader.misfit("spare: expected a finite number, got ", loaded.spare_);
  loaded.has_spare_ = reader.count("has_spare") != 0;
  reader.finish();
  *this = loaded;
}

namespace {

std::mutex seed_mutex;
std::uint64_t last_seed = 0, next_thread = 0;

Generator generator_of_new_thread() {
  const std::lock_guard lock(seed_mutex);
  return Generator(last_seed, next_thread++);
}

}  // namespace

Generator& default_generator() {
  thread_local Generator generator = generator_of_new_thread();
  return generator;
}

// The main thread is number 0, whichever draws first.
[[maybe_unused]] static const Generator& of_main_thread = default_generator();

void seed(std::uint64_t value) {
  default_generator() = Generator(value);
  const std::lock_guard lock(seed_mutex);
  last_seed = value, next_thread = 1;
}

}  // namespace xgrad
