#include <xgrad/core/flush_to_zero.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/core/simd.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <thread>

#include "error.h"

using namespace xgrad;

TEST_CASE("shapes print as Python's tuples") {
  CHECK(to_string(Shape{}) == "()");
  CHECK(to_string(Shape{5}) == "(5,)");
  CHECK(to_string(Shape{2, 3}) == "(2, 3)");
}

TEST_CASE("messages join text, shapes and numbers") {
  CHECK(message("[op] ", Shape{2, 3}, " and ", 7, ", not ", 0.001, " or ", -1e-8) ==
        "[op] (2, 3) and 7, not 0.001 or -1e-08");
}

TEST_CASE("all_finite finds a NaN and an infinity at any place") {
  for (std::size_t size : {0u, 1u, 15u, 16u, 33u}) {
    CHECK(all_finite(ones({size})));
    for (std::size_t i = 0; i < size; ++i)
      for (Scalar bad : {std::numeric_limits<Scalar>::quiet_NaN(), std::numeric_limits<Scalar>::infinity()}) {
        Tensor x = ones({size});
        x.data()[i] = bad;
        CHECK_FALSE(all_finite(x));
      }
  }
}

TEST_CASE("a generator goes on where its state was taken, between the two numbers of a pair too") {
  for (int draws : {0, 1, 2, 311, 312, 313}) {
    Generator original(8), other(9);
    for (int i = 0; i < draws; ++i) original.normal();
    other.load_state_dict(original.state_dict());
    for (int i = 0; i < 400; ++i) REQUIRE(other.normal() == original.normal());
    CHECK(other.bits() == original.bits());
  }
  Generator generator(8), twin(8);
  const StateDict good = generator.state_dict();
  const auto refused = [&](auto change) {
    StateDict bad = good;
    change(bad);
    CHECK_THROWS_AS(generator.load_state_dict(bad), DataError);
  };
  refused([](StateDict& bad) { bad.texts.clear(); });
  refused([](StateDict& bad) { bad.texts[0].second = ""; });
  refused([](StateDict& bad) { bad.texts[0].second += " 1"; });
  refused([](StateDict& bad) { bad.texts[0].second.resize(100); });
  refused([](StateDict& bad) {  // the engine would give nothing but zeros, and normal() would never end
    bad.texts[0].second.clear();
    for (int i = 0; i < 312; ++i) bad.texts[0].second += "0 ";
    bad.texts[0].second += "312";
  });
  refused([](StateDict& bad) { bad.texts[0].second[5] = 'x'; });
  refused([](StateDict& bad) { bad.scalars.pop_back(); });
  refused([](StateDict& bad) { bad.scalars.emplace_back("more", 1); });
  CHECK(generator.bits() == twin.bits());
}

TEST_CASE("the generator") {
  SUBCASE("has a sequence for each seed and each stream") {
    std::set<std::uint64_t> first;
    for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0}})
      for (std::uint64_t stream : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32})
        first.insert(Generator(seed, stream).bits());
    CHECK(first.size() == 12);
    std::seed_seq words{7, 0, 3, 0};  // the standard fixes both this and the engine
    CHECK(Generator(7, 3).bits() == std::mt19937_64(words)());
  }
  SUBCASE("uniform and normal numbers have the moments of their distributions") {
    Generator generator(3);
    const int count = 200'000;
    double uniform = 0, square = 0, cube = 0, fourth = 0, mean = 0;
    for (int i = 0; i < count; ++i) {
      uniform += generator.uniform() / count;
      const double z = generator.normal();
      mean += z / count, square += z * z / count, cube += z * z * z / count, fourth += z * z * z * z / count;
    }
    CHECK(uniform == doctest::Approx(0.5).epsilon(0.01));
    CHECK(std::abs(mean) < 0.01);
    CHECK(square == doctest::Approx(1).epsilon(0.02));
    CHECK(std::abs(cube) < 0.05);
    CHECK(fourth == doctest::Approx(3).epsilon(0.03));
  }
  SUBCASE("the same seed gives the same numbers on every platform") {
    Generator generator(1);
    CHECK(generator.uniform() == 0x1.ac1e3747d2f72p-2);
    CHECK(generator.normal() == -0x1.d37077a54e084p-2);
  }
  SUBCASE("below is uniform and refuses 0") {
    Generator generator(4);
    int counts[5] = {};
    for (int i = 0; i < 50'000; ++i) ++counts[generator.below(5)];
    for (int count : counts) CHECK(std::abs(count - 10'000) < 400);
    check_error<ValueError>([&] { generator.below(0); }, {"below"});
  }
  SUBCASE("a permutation holds each number once") {
    const IndexTensor order = Generator(5).permutation(1000);
    CHECK(std::set<std::int64_t>(order.data(), order.data() + order.size()).size() == 1000);
    CHECK(order != Generator(6).permutation(1000));
  }
}

TEST_CASE("a thread that was not seeded draws from the last seed and its number, and leaves others as they are") {
  const auto in_thread = [](std::optional<std::uint64_t> own = {}) {
    std::uint64_t drawn = 0;
    std::thread([&] {
      if (own) seed(*own);
      drawn = default_generator().bits();
    }).join();
    return drawn;
  };
  const auto ensemble = [&](std::uint64_t value) {
    seed(value);
    return std::vector{default_generator().bits(), in_thread(), in_thread(), default_generator().bits()};
  };
  const std::vector<std::uint64_t> first = ensemble(7), other = ensemble(8);
  Generator main(7);
  CHECK(first[0] == main.bits());
  CHECK(first[3] == main.bits());
  for (const std::vector<std::uint64_t>& drawn : {first, other})
    CHECK(std::set<std::uint64_t>(drawn.begin(), drawn.end()).size() == 4);
  CHECK(first[1] != other[1]);
  CHECK(ensemble(7) == first);
  CHECK(in_thread(9) == Generator(9).bits());

  std::vector<std::thread> threads;  // all at once, for the thread sanitizer
  for (std::uint64_t i = 0; i < 8; ++i)
    threads.emplace_back([i] {
      if (i % 2 == 0) seed(i);
      default_generator().bits();
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("parallel_for covers every element once, for any number of threads, and passes errors on") {
  const int before = num_threads();
  for (int threads : {1, 2, 3, 7}) {
    set_num_threads(threads);
    for (std::size_t count : {0u, 1u, 11u, 12u, 25u, 100u}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(count, 12, [&](std::size_t begin, std::size_t end) {
        CHECK(begin % 12 == 0);
        CHECK((end - begin >= 12 || end == count));
        for (std::size_t i = begin; i < end; ++i) ++visits[i];
      });
      for (const auto& visit : visits) CHECK(visit == 1);
    }
    check_error<ValueError>([] { parallel_for(100, 1, [](std::size_t, std::size_t) { throw ValueError("inside"); }); },
                            {"inside"});
  }
  set_num_threads(before);
  for (int bad : {0, -1, 1025})
    check_error<ValueError>([&] { set_num_threads(bad); }, {"set_num_threads", std::to_string(bad)});
}

TEST_CASE("subnormal numbers are zero under the guard, and only there") {
  volatile Scalar tiny = std::numeric_limits<Scalar>::min();
  {
    const FlushToZero guard;
    const volatile Scalar half = tiny / 2;
    CHECK(half == 0);
  }
  const volatile Scalar half = tiny / 2;
  CHECK(half > 0);
}

TEST_CASE("max and min of registers let a NaN through from either side; a register's numbers have a sum") {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN(), infinity = std::numeric_limits<Scalar>::infinity();
  const struct {
    Scalar a, b, max, min;
  } cases[] = {{1, 2, 2, 1},
               {2, 1, 2, 1},
               {nan, 1, nan, nan},
               {1, nan, nan, nan},
               {nan, nan, nan, nan},
               {-infinity, 1, 1, -infinity},
               {infinity, nan, nan, nan},
               {nan, -infinity, nan, nan}};
  const auto same = [](Scalar a, Scalar b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  for (const auto& c : cases) {
    Scalar numbers[register_size];
    store(max(Register(c.a), Register(c.b)), numbers);
    for (Scalar number : numbers) CHECK(same(number, c.max));
    store(min(Register(c.a), Register(c.b)), numbers);
    for (Scalar number : numbers) CHECK(same(number, c.min));
  }
  Scalar numbers[register_size];
  for (std::size_t i = 0; i < register_size; ++i) numbers[i] = static_cast<Scalar>(i + 1);
  CHECK(sum_lanes(load(numbers)) == static_cast<Scalar>(register_size * (register_size + 1) / 2));
}
