#include <xgrad/datasets/digits.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "error.h"

using namespace xgrad;
using namespace xgrad::datasets;

namespace {

constexpr std::size_t side = 28, pixels = side * side;

bool same(const Dataset& a, const Dataset& b) {
  return std::ranges::equal(a.images(), b.images()) && std::ranges::equal(a.labels(), b.labels());
}

// FNV-1a (Fowler, Noll & Vo).
std::uint64_t hash(const Dataset& data) {
  std::uint64_t result = 14695981039346656037u;
  const auto add = [&result](std::uint64_t byte) { result = (result ^ byte) * 1099511628211u; };
  std::ranges::for_each(data.images(), add);
  for (const std::int64_t label : data.labels()) add(static_cast<std::uint64_t>(label));
  return result;
}

}  // namespace

TEST_CASE("the same seed draws the same digits, on every platform") {
  CHECK(same(digits(50, 3), digits(50, 3)));
  CHECK_FALSE(same(digits(50, 3), digits(50, 4)));
  CHECK(same(digits(50), digits(50, 0)));
  CHECK(hash(digits(100, 1)) == 0xb6cd445e9b2f219cu);
}

TEST_CASE("fewer digits are the beginning of more") { CHECK(same(digits(10, 5), digits(40, 5).slice(0, 10))); }

TEST_CASE("digits come as (count, 1, 28, 28) with names, and every class about as often") {
  const Dataset data = digits(2000, 1);
  CHECK(data.size() == 2000);
  CHECK(data.image_shape() == Shape{1, side, side});
  CHECK(data.class_names() == decimal_digits());
  std::array<int, 10> counts{};
  for (const std::int64_t label : data.labels()) ++counts.at(static_cast<std::size_t>(label));
  for (const int count : counts) CHECK((count > 140 && count < 260));  // 200 give or take 4.5 standard deviations
}

TEST_CASE("a count of 0 is refused") {
  check_error<ValueError>([] { digits(0); }, {"[digits]", "1 or more", "got 0"});
}

TEST_CASE("every digit fills a box of 20 pixels about its centre of mass, with grey edges") {
  const Dataset data = digits(1000, 2);
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto image = data.images().subspan(i * pixels, pixels);
    double mass = 0, x = 0, y = 0;
    std::size_t left = side, right = 0, top = side, bottom = 0, grey = 0;
    for (std::size_t p = 0; p < pixels; ++p) {
      const std::size_t column = p % side, row = p / side;
      mass += image[p];
      x += static_cast<double>(image[p] * column);
      y += static_cast<double>(image[p] * row);
      if (image[p] > 0 && image[p] < 255) ++grey;
      if (image[p] == 0) continue;
      left = std::min(left, column), right = std::max(right, column);
      top = std::min(top, row), bottom = std::max(bottom, row);
    }
    CAPTURE(i);
    CHECK(*std::ranges::max_element(image) > 200);
    CHECK(grey >= 15);
    CHECK(std::max(right - left, bottom - top) + 1 >= 19);
    CHECK(std::max(right - left, bottom - top) + 1 <= 20);
    CHECK(std::abs(x / mass - 14) < 2);
    CHECK(std::abs(y / mass - 14) < 2);
    CHECK(mass / 255 > 20);
    CHECK(mass / 255 < 320);
  }
}

TEST_CASE("no two digits are alike") {
  const Dataset data = digits(1000, 3);
  std::set<std::vector<std::uint8_t>> different;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto image = data.images().subspan(i * pixels, pixels);
    different.emplace(image.begin(), image.end());
  }
  CHECK(different.size() == data.size());
}
