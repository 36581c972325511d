// Every namespace of the library beside std: a name that two of them have does not compile here. (Of std, <stack> and
// <valarray> must not be included beside it: theirs are std::stack and std::slice.)
#include <doctest/doctest.h>
#include <xgrad/optim/elements.h>
#include <xgrad/xgrad.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

using namespace std;
using namespace xgrad;
using namespace xgrad::nn;
using namespace xgrad::optim;
using namespace xgrad::datasets;

namespace {

struct SignOptions {
  double lr = 1e-2;
};

struct SignRule : RuleOf<SignOptions> {
  using RuleOf::RuleOf;
  string_view name() const override { return "Sign"; }
  void update(const Elements& elements) const override {
    elements.for_each<0>([lr = Scalar(options.lr)](Register& theta, Register g) { theta -= lr * sign(g); });
  }
};

}  // namespace

TEST_CASE("the library's names stand beside those of std") {
  DataLoader loader(digits(4, 1), {.batch_size = 2});
  map<string, Tensor> values;
  for (const Batch& batch : loader) values["images"] = batch.images.value();
  const Variable x(map_elements(values["images"], [](Scalar v) { return v + 1; }), true);
  OptimizerOf<SignRule> rule({{"x", x}});
  const Variable y = slice(x, 0, 0, 1), z = stack({y, y}, 0);
  sum(max(exp(z) + log(abs(x)) + sqrt(pow(x, 2)) + maximum(x, y) + norm(x))).backward();
  rule.step();
  CHECK(all_finite(x.value()));
}
