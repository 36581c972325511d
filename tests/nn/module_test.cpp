#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "error.h"

using namespace xgrad;

namespace {

struct Scale : nn::Module {
  explicit Scale(std::size_t width) : factor(param("factor", full({width}, Scalar(2)))) {}
  Variable forward(const Variable& x) override { return offset + factor * x; }

  nn::Parameter factor;
  nn::Parameter offset = buffer("offset", zeros({1}));
};

struct Residual : nn::Module {
  explicit Residual(std::size_t width)
      : hidden(add<nn::Linear>("hidden", width, width)), scale(add<Scale>("scale", width)) {}
  Variable forward(const Variable& x) override { return x + gain * scale(hidden(x)); }

  nn::Linear& hidden;
  Scale& scale;
  Variable gain = param("gain", ones({1}));  // a handle, as Parameter is; declared last, listed first
};

struct Registrar : nn::Module {  // shows what a subclass may do
  using Module::add;
  using Module::adopt;
  using Module::buffer;
  using Module::param;
  using Module::share;
};

std::vector<std::string> names_of(const NamedVariables& variables) {
  std::vector<std::string> result;
  for (const auto& [name, variable] : variables) result.push_back(name);
  return result;
}

nn::Sequential make_model(std::uint64_t start) {
  seed(start);
  return nn::Sequential{nn::Linear(3, 4), Residual(4)};
}

const Variable two_rows(Tensor({{1, 2, 3}, {-1, 0, 1}}));

static_assert(std::is_nothrow_move_constructible_v<nn::Linear> && std::is_nothrow_move_constructible_v<nn::Sequential>);
static_assert(std::is_nothrow_move_constructible_v<Residual>);
static_assert(!std::is_copy_constructible_v<nn::Linear> && !std::is_copy_constructible_v<nn::Sequential>);
static_assert(!std::is_constructible_v<nn::Sequential, nn::Linear&>, "a layer is moved in, never copied");
static_assert(!std::is_move_assignable_v<nn::Linear> && std::is_move_assignable_v<nn::Sequential>);

template <class Value>
constexpr bool assignable = std::is_assignable_v<nn::Parameter&, Value>;
static_assert(!assignable<Variable> && !assignable<const Variable&> && !assignable<Tensor> &&
                  !assignable<nn::Parameter> && !assignable<const nn::Parameter&>,
              "forward() would use what the module does not know");
static_assert(!std::is_swappable_v<nn::Parameter>);
static_assert(!std::is_constructible_v<nn::Parameter, Variable>, "only a module makes one");
static_assert(std::is_copy_constructible_v<nn::Parameter> && std::is_convertible_v<nn::Parameter&, Variable>);

// Words to vectors and back, with one table for both.
struct Tied : nn::Module {
  Variable forward(const Variable& x) override { return decoder(encoder(x)); }

  nn::Embedding& encoder = add<nn::Embedding>("encoder", 5, 3);
  nn::Linear& decoder = add<nn::Linear>("decoder", 3, 5, nn::LinearOptions{.weight = encoder.weight});
};

}  // namespace

TEST_CASE("a module lists its own parameters first, then those of its children in order") {
  const nn::Sequential model = make_model(1);
  CHECK(names_of(model.parameters()) ==
        std::vector<std::string>{"0.weight", "0.bias", "1.gain", "1.hidden.weight", "1.hidden.bias", "1.scale.factor"});
  CHECK(names_of(model.buffers()) == std::vector<std::string>{"1.scale.offset"});
  for (const auto& [name, variable] : model.parameters()) CHECK(variable.requires_grad());
  for (const auto& [name, variable] : model.buffers()) CHECK_FALSE(variable.requires_grad());
  REQUIRE(model.children().size() == 2);
  CHECK(model.children()[1].first == "1");
  CHECK(model.children()[1].second->children()[0].first == "hidden");
}

TEST_CASE("references to children and parameters stay valid when a module moves") {
  Residual first(3);
  const Tensor expected = first(two_rows).value();
  nn::Linear* hidden = &first.hidden;
  Residual second(std::move(first));
  CHECK(&second.hidden == hidden);
  CHECK(second(two_rows).value() == expected);
  nn::Sequential model{std::move(second)};
  CHECK(model(two_rows).value() == expected);

  nn::Sequential moved = std::move(model);  // moves; does not nest
  CHECK(moved.size() == 1);
  sum(moved(two_rows)).backward();
  for (const auto& entry : moved.parameters()) CHECK_MESSAGE(entry.second.has_grad(), entry.first);
  moved.zero_grad();
  for (const auto& entry : moved.parameters()) CHECK_FALSE_MESSAGE(entry.second.has_grad(), entry.first);

  moved = make_model(2);  // all of it, with the layers that it owns
  CHECK(moved.size() == 2);
}

TEST_CASE("training mode reaches every module") {
  nn::Sequential model = make_model(1);
  const auto modes = [&] {
    const nn::Module &residual = model[1], &hidden = *residual.children()[0].second;
    return std::vector<bool>{model.training(), residual.training(), hidden.training()};
  };
  CHECK(modes() == std::vector<bool>{true, true, true});
  model.eval();
  CHECK(modes() == std::vector<bool>{false, false, false});
  model[1].train();
  CHECK(modes() == std::vector<bool>{false, true, true});
}

TEST_CASE("names are refused where they are empty, dotted or taken") {
  Registrar module;
  module.param("p", ones({1}));
  module.buffer("b", ones({1}));
  module.add<nn::Linear>("c", 2, 2);
  for (const std::string name : {"", "a.b", ".", "p", "b", "c"}) {
    CAPTURE(name);
    seed(1);
    check_error<ValueError>([&] { module.param(name, ones({1})); }, {"[module]", "'" + name + "'"});
    check_error<ValueError>([&] { module.buffer(name, ones({1})); }, {"[module]", "'" + name + "'"});
    check_error<ValueError>([&] { module.add<nn::Linear>(name, 2, 2); }, {"[module]", "'" + name + "'"});
    CHECK(default_generator().bits() == Generator(1).bits());  // refused before the layer was made
  }
  check_error<ValueError>([&] { module.adopt("n", nullptr); }, {"[module]", "'n'", "null"});
  const Variable leaf(ones({2}), true);
  check_error<ValueError>([&] { module.share("p", leaf); }, {"[module]", "'p'"});
  check_error<ValueError>([&] { module.share("n", Variable()); }, {"[module]", "'n'", "an empty Variable"});
  check_error<ValueError>([&] { module.share("n", leaf + leaf); }, {"[module]", "'n'", "the output of 'add'"});
  check_error<ShapeError>([&] { module.share("n", leaf, Shape{3}); }, {"[module]", "'n'", "(3,)", "(2,)"});
  CHECK(names_of(module.parameters()) == std::vector<std::string>{"p", "c.weight", "c.bias"});
}

TEST_CASE("state goes from one model to another") {
  nn::Sequential model = make_model(1), twin = make_model(2);
  model.buffers()[0].second.mutable_value().fill(Scalar(0.25));
  CHECK(model(two_rows).value() != twin(two_rows).value());
  const StateDict state = model.state_dict();
  twin.load_state_dict(state);
  CHECK(model(two_rows).value() == twin(two_rows).value());

  model.parameters()[0].second.mutable_value().fill(0);  // the state and the twin hold copies
  CHECK(state.tensors[0].second == twin.parameters()[0].second.value());
  CHECK(model(two_rows).value() != twin(two_rows).value());

  StateDict reversed = state;
  std::reverse(reversed.tensors.begin(), reversed.tensors.end());
  model.load_state_dict(reversed);
  CHECK(model(two_rows).value() == twin(two_rows).value());
}

TEST_CASE("a table that encoder and decoder share is one parameter: trained, saved and loaded once") {
  seed(1);
  Tied model, twin;
  CHECK(names_of(model.parameters()) == std::vector<std::string>{"encoder.weight", "decoder.bias"});
  const Variable words(Tensor({0, 3, 4}));
  const IndexTensor targets({1, 2, 0});
  nn::cross_entropy(model(words), targets).backward();
  Tensor expected = model.encoder.weight.value();
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected.data()[i] -= Scalar(0.5) * model.encoder.weight.grad().data()[i];
  optim::SGD optimizer(model.parameters(), {.lr = 0.5});
  optimizer.step();
  CHECK(model.encoder.weight.value() == expected);  // it has made one step, along the sum of both gradients
  CHECK(model.decoder.weight.node() == model.encoder.weight.node());
  CHECK(expected(1, 0) != Tied().encoder.weight.value()(1, 0));

  CHECK(model.state_dict().tensors.size() == 2);
  twin.load_state_dict(model.state_dict());
  CHECK(twin(words).value() == model(words).value());
  CHECK(twin.decoder.weight.node() == twin.encoder.weight.node());

  Tied moved = std::move(model);
  CHECK(moved.decoder.weight.node() == moved.encoder.weight.node());
  CHECK(moved(words).value() == twin(words).value());
  check_error<ShapeError>([&] { nn::Linear(4, 5, {.weight = twin.encoder.weight}); }, {"'weight'", "(5, 4)", "(5, 3)"});
  check_error<ShapeError>([&] { nn::Embedding(4, 3, {.weight = twin.encoder.weight}); }, {"(4, 3)", "(5, 3)"});
}

TEST_CASE("what is shared is listed once, wherever, and as a buffer where it needs no gradient") {
  Registrar module;
  const nn::Parameter p = module.param("p", ones({2}));
  module.share("again", p);
  nn::Embedding& fixed = module.add<nn::Embedding>("fixed", 2, 3, nn::EmbeddingOptions{.weight = ones({2, 3})});
  module.add<Registrar>("child").share("p", p);
  module.share("table", fixed.weight);
  CHECK(names_of(module.parameters()) == std::vector<std::string>{"p"});
  CHECK(names_of(module.buffers()) == std::vector<std::string>{"table"});
  CHECK(module.state_dict().tensors.size() == 2);
}

TEST_CASE("a state that does not fit is refused whole, with every name") {
  nn::Sequential model = make_model(1);
  const Tensor before = model(two_rows).value();
  StateDict state = make_model(2).state_dict();
  state.tensors[0].first = "0.wieght";
  state.tensors[1].second = ones({5});
  state.tensors[3].second = ones({2, 8});
  state.tensors.pop_back();
  state.tensors.push_back(state.tensors[2]);
  state.scalars.emplace_back("step", 3);
  try {
    model.load_state_dict(state);
    FAIL("no error came");
  } catch (const DataError& error) {
    CHECK(std::string(error.what()) ==
          "[Module] the state does not fit:\n"
          "  repeated: 1.gain\n"
          "  missing: 0.weight (4, 3)\n"
          "  misshaped: 0.bias: expected (4,), got (5,)\n"
          "  misshaped: 1.hidden.weight: expected (4, 4), got (2, 8)\n"
          "  missing: 1.scale.offset (1,)\n"
          "  unexpected: 0.wieght (4, 3)\n"
          "  unexpected: step = 3");
  }
  CHECK(model(two_rows).value() == before);
}

TEST_CASE("loading a state makes a graph over the old values unusable") {
  nn::Sequential model = make_model(1);
  const Variable loss = sum(model(two_rows));
  model.load_state_dict(model.state_dict());
  CHECK_THROWS_AS(loss.backward(), GraphError);
}

TEST_CASE("calling a module flushes subnormal numbers to zero") {
  Scale scale(1);
  const Variable tiny(full({1}, std::numeric_limits<Scalar>::denorm_min()));
  CHECK(scale.forward(tiny).value()(0) > 0);
#if defined(__SSE2__) || defined(__aarch64__)
  CHECK(scale(tiny).value()(0) == 0);
#endif
}
