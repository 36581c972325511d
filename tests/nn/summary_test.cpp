#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/nn/summary.h>

#include "error.h"

using namespace xgrad;

namespace {

template <class Inner, int count>
struct Block : nn::Module {
  explicit Block(std::size_t width) : hidden(add<nn::Linear>("hidden", width, width)), inner(add<Inner>("inner")) {}
  Variable forward(const Variable& x) override {
    default_generator().bits();
    return scale * (x + inner(hidden(inner(x)))) + mean;
  }

  nn::Linear& hidden;
  Inner& inner;
  nn::Linear& unused = add<nn::Linear>("unused", 1, 1);
  nn::Parameter scale = param("scale", ones({1}));
  nn::Parameter mean = buffer("mean", zeros({5}));
};

std::string bytes(std::size_t elements) { return std::to_string(sizeof(Scalar) * elements); }

}  // namespace

TEST_CASE("the summary of a plain model") {
  nn::Sequential model{nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Linear(128, 10)};
  std::string expected = R"(Layer       Name  Output     Parameters
---------------------------------------
Sequential        (64, 10)
  Flatten   0     (64, 784)
  Linear    1     (64, 128)     100,480
  ReLU      2     (64, 128)
  Linear    3     (64, 10)        1,290
---------------------------------------
Total                           101,770
)";
  expected += sizeof(Scalar) == 4 ? "407,080 bytes of parameters\n" : "814,160 bytes of parameters\n";
  CHECK(nn::summary(model, {64, 1, 28, 28}) == expected);
}

TEST_CASE("the summary of nested, repeated, unused and local layers") {
  struct Local : nn::Module {
    Variable forward(const Variable& x) override { return x; }
  };
  nn::Sequential model{nn::Linear(4, 5), Block<nn::Tanh, 3>(5), nn::Sequential{nn::Dropout(0.5), Local()}};
  const std::string expected = R"(Layer             Name      Output      Parameters
--------------------------------------------------
Sequential                  (2, 5)
  Linear          0         (2, 5)              25
  Block<Tanh, 3>  1         (2, 5)               1
    Linear        1.hidden  (2, 5)              30
    Tanh          1.inner   (2, 5) x 2
    Linear        1.unused  not called           2
  Sequential      2         (2, 5)
    Dropout       2.0       (2, 5)
    Local         2.1       (2, 5)
--------------------------------------------------
Total                                           58
)";
  CHECK(nn::summary(model, {2, 4}) ==
        expected + bytes(58) + " bytes of parameters, " + bytes(5) + " bytes of buffers\n");
}

TEST_CASE("a summary counts a table of vectors, and one that is shared once") {
  struct Pair : nn::Module {
    Variable forward(const Variable& x) override { return x + sum(table.lookup({0, 1})); }
    nn::Embedding& table = add<nn::Embedding>("table", 2, 5);
  };
  const Variable words(ones({20, 4}), true);
  nn::Sequential model{nn::Embedding(20, 4, {.weight = words}), nn::Flatten(), nn::Linear(12, 4),
                       nn::Linear(4, 20, {.weight = words}), Pair()};
  const std::string expected = R"(Layer          Name     Output     Parameters
---------------------------------------------
Sequential              (2, 20)
  Embedding    0        (2, 3, 4)          80
  Flatten      1        (2, 12)
  Linear       2        (2, 4)             52
  Linear       3        (2, 20)            20
  Pair         4        (2, 20)
    Embedding  4.table  (2, 5)             10
---------------------------------------------
Total                                     162
)";
  CHECK(nn::summary(model, {2, 3}) == expected + bytes(162) + " bytes of parameters\n");
}

TEST_CASE("a summary counts shared parameters once, and names what was called and is not registered") {
  struct Forgetful : nn::Module {
    Variable forward(const Variable& x) override {
      const Variable y = nn::Sequential{nn::Tanh()}(forgotten[1](forgotten[0](decoder(encoder(x)))));
      return nn::Tanh()(nn::Tanh()(y));
    }
    nn::Linear& encoder = add<nn::Linear>("encoder", 3, 3);
    nn::Linear& decoder = add<nn::Linear>("decoder", 3, 3, nn::LinearOptions{.weight = encoder.weight});
    std::vector<nn::Linear> forgotten;
  };
  Forgetful model;
  for (const std::size_t width : {4u, 3u}) model.forgotten.emplace_back(7 - width, width);
  const std::string table = nn::summary(model, {2, 3});
  const std::string registered = R"(Layer       Name            Output  Parameters
----------------------------------------------
Forgetful                   (2, 3)
  Linear    encoder         (2, 3)          12
  Linear    decoder         (2, 3)           3
Linear      not registered  (2, 4)
Linear      not registered  (2, 3)
)";
  CHECK(table.starts_with(registered));
  CHECK(table.find("\nSequential  not registered  (2, 3)\n") != std::string::npos);
  CHECK(table.find("\nTanh        not registered  (2, 3)") != std::string::npos);
  CHECK(table.find("\nTotal" + std::string(39, ' ') + "15\n") != std::string::npos);
}

TEST_CASE("a summary leaves training flags, gradients and random numbers as they were, also after an error") {
  nn::Sequential model{nn::Linear(4, 5), Block<nn::Tanh, 3>(5), nn::Dropout(0.5)};
  const nn::Module& inner = *model[1].children()[1].second;
  model.eval();
  model[1].train();
  model[2].train();
  model[1].children()[0].second->eval();
  seed(8);
  nn::summary(model, {2, 4});
  check_error<ShapeError>([&] { nn::summary(model, {2, 3}); }, {"[linear]", "(2, 3)"});
  CHECK(default_generator().bits() == Generator(8).bits());
  CHECK_FALSE(model.training());
  CHECK_FALSE(model[0].training());
  CHECK(model[1].training());
  CHECK_FALSE(model[1].children()[0].second->training());
  CHECK(inner.training());
  CHECK(model[2].training());
  for (const auto& [name, parameter] : model.parameters()) CHECK_FALSE(parameter.has_grad());
}
