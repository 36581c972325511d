// What a saved state says of options: rates come back, and whatever else differs is refused.
#include <doctest/doctest.h>
#include <error.h>
#include <optim/helpers.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/newton_cg.h>
#ifdef XGRAD_HAS_LINALG
#include <xgrad/optim/kfac.h>
#include <xgrad/optim/shampoo.h>
#include <xgrad/optim/soap.h>
#endif

#include <functional>
#include <memory>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

StateDict options_of(const StateDict& dict) { return dict.below("options."); }

// Stands for a member of any type, to count the members of an aggregate.
struct Any {
  template <class T>
  operator T() const {
    return {};
  }
};
template <class T, class... Anys>
constexpr std::size_t members() {
  if constexpr (requires { T{Anys{}..., Any{}}; })
    return members<T, Anys..., Any>();
  else
    return sizeof...(Anys);
}
template <class R>
constexpr std::size_t options(const OptimizerOf<R>*) {
  return members<typename R::Options>();
}

struct SignOptions {
  double lr = 0.5, weight_decay = 0;
  bool maximize = false;
  double forgotten = 1;
};
struct SignRule : RuleOf<SignOptions> {
  using RuleOf::RuleOf;
  std::string_view name() const override { return "Sign"; }
  void update(const Elements&) const override {}
};
using Sign = OptimizerOf<SignRule>;

}  // namespace

TEST_CASE_TEMPLATE("every option is in the state", Rule, XGRAD_ALL_RULES, Sophia, AdaHessian, Polyak, Muon) {
  const Rule rule({{"a", leaf(ones({1, 1}))}}, {});
  CHECK(options_of(rule.state_dict()).scalars.size() == options(static_cast<const Rule*>(nullptr)));
}

TEST_CASE("so is every option of the methods that see all parameters as one vector, and of rules that need LAPACK") {
  const ParameterList list = {{"a", leaf(ones({1, 1}))}};
  CHECK(options_of(LBFGS(list).state_dict()).scalars.size() == members<LBFGSOptions>());
  CHECK(options_of(NewtonCG(list).state_dict()).scalars.size() == members<NewtonCGOptions>());
  CHECK(options_of(ConjugateGradient(list).state_dict()).scalars.size() == members<ConjugateGradientOptions>());
#ifdef XGRAD_HAS_LINALG
  CHECK(options_of(Shampoo(list).state_dict()).scalars.size() == members<ShampooOptions>());
  CHECK(options_of(Soap(list).state_dict()).scalars.size() == members<SoapOptions>());
  CHECK(options_of(KFAC(list).state_dict()).scalars.size() == members<KFACOptions>());
#endif
}

TEST_CASE_TEMPLATE("rates come back with the state, whoever has changed them", Rule, XGRAD_ALL_RULES) {
  const Variable a = leaf({1}), b = leaf({1});
  Rule saved({{{{"a", a}}, {.lr = 0.5}}, {{{"b", b}}, {.lr = 0.25}}});
  saved.lr(0) = 0.1 + 0.2, saved.lr(1) = 0;  // a schedule may end there
  Rule resumed({{{{"a", a}}, {.lr = 0.5}}, {{{"b", b}}, {.lr = 0.25}}});
  resumed.load_state_dict(saved.state_dict());
  CHECK(resumed.lr(0) == 0.1 + 0.2);
  CHECK(resumed.lr(1) == 0);
  Rule one_group({{"a", a}, {"b", b}}, {.lr = 0.5});
  check_error<DataError>([&] { one_group.load_state_dict(saved.state_dict()); }, {"unexpected: options.1.lr = 0"});
  check_error<DataError>([&] { saved.load_state_dict(one_group.state_dict()); }, {"missing: options.1.lr"});
  CHECK(saved.lr(0) == 0.1 + 0.2);
  CHECK(one_group.lr() == 0.5);
  StateDict bad = one_group.state_dict();
  for (auto& [name, value] : bad.scalars)
    if (name == "options.0.lr") value = -1;
  check_error<DataError>([&] { one_group.load_state_dict(bad); },
                         {"options.0.lr: expected a rate of at least 0, got -1"});
  bad.scalars.clear();  // the state of an earlier version, which kept no options
  one_group.load_state_dict(bad);
  CHECK(one_group.lr() == 0.5);
}

TEST_CASE("other options are refused, with their name and both values") {
  const ParameterList a = {{"a", leaf({1})}};
  const auto make = [&]<class Rule>(const Rule*, auto options) { return std::make_shared<Rule>(a, options); };
  const auto pair = [&]<class Rule>(const Rule* rule, auto saved, auto here) {
    return std::pair<std::shared_ptr<Optimizer>, std::shared_ptr<Optimizer>>(make(rule, saved), make(rule, here));
  };
  constexpr auto adam = static_cast<const Adam*>(nullptr);
  const struct {
    std::pair<std::shared_ptr<Optimizer>, std::shared_ptr<Optimizer>> optimizers;
    std::string message;
  } refusals[] = {
      {pair(adam, AdamOptions{.beta1 = 0.5}, AdamOptions{}), "options.0.beta1: expected 0.9, got 0.5"},
      {pair(adam, AdamOptions{}, AdamOptions{.beta2 = 0.5}), "options.0.beta2: expected 0.5, got 0.999"},
      {pair(adam, AdamOptions{.weight_decay = 1}, AdamOptions{}), "options.0.weight_decay: expected 0, got 1"},
      {pair(adam, AdamOptions{.maximize = true}, AdamOptions{}), "options.0.maximize: expected 0, got 1"},
      {pair(adam, AdamOptions{.dialect = Dialect::mlx}, AdamOptions{}), "options.0.dialect: expected 1, got 4"},
      {pair(adam, AdamOptions{.bias_correction = false}, AdamOptions{}), "bias_correction: expected -1, got 0"},
      {pair(adam, AdamOptions{.sparse = SparseRows::lazy}, AdamOptions{}), "options.0.sparse: expected 2, got 1"},
      {pair(static_cast<const SGD*>(nullptr), SGDOptions{.momentum = 0.9, .nesterov = true},
            SGDOptions{.momentum = 0.9}),
       "options.0.nesterov: expected 0, got 1"},
      {pair(static_cast<const Sign*>(nullptr), SignOptions{.weight_decay = 0.25}, SignOptions{}),
       "[Sign] the state does not fit:\n  options.0.weight_decay: expected 0, got 0.25"},
  };
  for (const auto& [optimizers, message] : refusals) {
    const auto& [saved, here] = optimizers;
    check_error<DataError>([&, &saved = saved, &here = here] { here->load_state_dict(saved->state_dict()); },
                           {message});
  }
  LBFGS saved(a, {.lr = 0.5, .history_size = 5}), here(a, {}), same(a, {.history_size = 5});
  check_error<DataError>([&] { here.load_state_dict(saved.state_dict()); },
                         {"[LBFGS]", "options.0.history_size: expected 10, got 5"});
  CHECK(here.lr() == 1);
  same.load_state_dict(saved.state_dict());
  CHECK(same.lr() == 0.5);
}
