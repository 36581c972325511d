#include <doctest/doctest.h>
#include <error.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/optim/least_squares.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

Variable parameter_at(const Tensor& start) { return Variable(start, true); }

}  // namespace

TEST_CASE("least squares refuse bad options, parameters and residuals") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Variable a = parameter_at({1, 2}), b = parameter_at({1});
  const ParameterList list = {{"a", a}};
  const Residuals fine = [&] { return a - 3; };
  const struct {
    std::function<void()> call;
    std::string message;
  } refusals[] = {
      {[&] { least_squares({}, fine); }, "[least_squares] expected parameters, got an empty list"},
      {[&] {
         least_squares({{"a", a}, {"a", b}}, fine);
       },
       "[least_squares] the name 'a' is given twice"},
      {[&] {
         least_squares({{"a", a}, {"b", a}}, fine);
       },
       "[least_squares] 'a' and 'b' are the same parameter"},
      {[&] {
         least_squares({{"a", a + 1}}, fine);
       },
       "[least_squares] expected parameters, but 'a' is the output of 'add'"},
      {[&] { least_squares(list, {}); },
       "[least_squares] expected a function that computes residuals, got an empty one"},
      {[&] { least_squares(list, [&] { return slice(a, 0, 1, 1); }); }, "[least_squares] expected residuals, got none"},
      {[&] { least_squares(list, [] { return Variable(); }); }, "[least_squares] expected residuals, got none"},
      {[&] { least_squares(list, [&] { return log(a - 2); }); }, "[least_squares] at the start residual 0 of 2 is nan"},
      {[&] { least_squares(list, [&] { return sqrt(a - 1); }); },
       "[least_squares] at the start the loss or the Jacobian is not finite"},
      {[&] { least_squares(list, fine, {.damping = -1}); },
       "[least_squares] damping must be at least 0 and finite, got -1"},
      {[&] { least_squares(list, fine, {.tolerance_grad = nan}); },
       "[least_squares] tolerance_grad must be at least 0"},
      {[&] { least_squares(list, fine, {.tolerance_step = -1}); }, "[least_squares] tolerance_step must be at least 0"},
      {[&] { least_squares(list, fine, {.tolerance_loss = -1}); }, "[least_squares] tolerance_loss must be at least 0"},
      {[&] { least_squares(list, fine, {.max_evaluations = 0}); },
       "[least_squares] max_evaluations must be at least 1, got 0"},
  };
  for (const auto& refusal : refusals) check_error<ValueError>(refusal.call, {refusal.message});
  for (const auto& without : {Residuals([&] { return b * 2; }), Residuals([] { return Variable(ones({3})); })})
    check_error<GraphError>([&] { least_squares(list, without); },
                            {"[least_squares] the residuals depend on none of the parameters"});
  CHECK(a.value() == Tensor({1, 2}));
}

TEST_CASE("an error in the midst of least squares leaves the parameters at the least loss") {
  const Variable a = parameter_at({4, 2});
  int calls = 0;
  const auto at_third = [&](const std::function<Variable()>& other) {
    calls = 0, a.mutable_value() = Tensor({4, 2});
    return [&calls, &a, other] { return ++calls == 3 ? other() : square(square(a)); };
  };
  least_squares({{"a", a}}, at_third([&] { return square(square(a)); }), {.max_evaluations = 2});
  const Tensor after_one = a.value();
  CHECK(after_one != Tensor({4, 2}));
  check_error<ShapeError>(
      [&] {
        least_squares({{"a", a}}, at_third([&] { return sum(a); }));
      },
      {"[least_squares] there were 2 residuals, and now there are 1"});
  CHECK(a.value() == after_one);
  check_error<ShapeError>(
      [&] {
        least_squares({{"a", a}}, at_third([&] {
                        a.mutable_value() = ones({3});
                        return square(a);
                      }));
      },
      {"[least_squares] 'a': expected (2,), got (3,)"});
  CHECK(a.value() == after_one);
  check_error<std::runtime_error>(
      [&] {
        least_squares({{"a", a}}, at_third([]() -> Variable { throw std::runtime_error("no"); }));
      },
      {"no"});
  CHECK(a.value() == after_one);
}
