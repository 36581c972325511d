// What one of several processes may do to the others: processes_test.py starts it with the name of a case. What the
// first process catches, it prints.
#include <xgrad/xgrad.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <thread>

using namespace xgrad;

namespace {

using Case = std::function<void(Communicator&)>;
constexpr std::size_t odd_one = 1;

// Steps of a small network; `disturb` may do something to a process before each.
void train(Communicator& communicator, const std::function<void(std::size_t step, Tensor& inputs)>& disturb) {
  seed(1);
  nn::Sequential model{nn::Linear(4, 4), nn::Tanh(), nn::Linear(4, 1)};
  optim::Distributed<optim::Adam> optimizer(communicator, model);
  const datasets::TensorDataset data(Generator(1).normal({64, 4}), Generator(2).normal({64, 1}));
  std::size_t step = 0;
  for (const auto& [x, y] : datasets::DataLoader(data, {.batch_size = 16, .communicator = &communicator})) {
    Tensor inputs = x.value();
    disturb(step++, inputs);
    optimizer.zero_grad();
    try {
      nn::mse_loss(model(inputs), y).backward({.check_finite = true});
    } catch (const ValueError& error) {
      communicator.raise(error.what());
    }
    optimizer.step();
  }
}

bool is_odd(const Communicator& communicator, std::size_t step) { return communicator.rank() == odd_one && step == 4; }

const std::map<std::string, Case> cases = {
    {"well", [](Communicator& c) { train(c, [](std::size_t, Tensor&) {}); }},
    {"dropout",  // what is drawn belongs to a micro-batch
     [](Communicator& c) {
       seed(1);
       nn::Sequential model{nn::Linear(4, 30), nn::Dropout(0.5), nn::Linear(30, 1)};
       optim::Distributed<optim::Adamax> optimizer(c, model, {}, {.max_norm = 1});
       const datasets::TensorDataset data(Generator(1).normal({50, 4}), Generator(2).normal({50, 1}));
       for (const auto& [x, y] : datasets::DataLoader(data, {.batch_size = 13, .seed = 3, .communicator = &c})) {
         optimizer.zero_grad();
         nn::mse_loss(model(x), y).backward();
         optimizer.step();
       }
       for (const auto& [name, parameter] : model.parameters())
         for (const Scalar value : parameter.value())
           if (c.is_first()) std::printf("%a\n", static_cast<double>(value));
       if (c.is_first()) std::printf("%016lx\n", static_cast<unsigned long>(default_generator().bits()));
     }},
    {"nan",
     [](Communicator& c) {
       train(c, [&c](std::size_t step, Tensor& inputs) {
         if (is_odd(c, step)) inputs(0, 0) = std::numeric_limits<Scalar>::quiet_NaN();
       });
     }},
    {"throws",
     [](Communicator& c) {
       train(c, [&c](std::size_t step, Tensor&) {
         if (is_odd(c, step)) throw DataError("the disk is gone");
       });
     }},
    {"late",
     [](Communicator& c) {
       train(c, [&c](std::size_t step, Tensor&) {
         if (is_odd(c, step)) std::this_thread::sleep_for(std::chrono::seconds(30));
       });
     }},
    {"leaves",
     [](Communicator& c) {
       if (c.rank() != odd_one) c.gather("here");
     }},
    {"elsewhere",
     [](Communicator& c) {
       std::vector<Scalar> elements(c.size());
       std::vector<std::size_t> begins;
       for (std::size_t i = 0; i <= c.size(); ++i) begins.push_back(i);
       if (c.rank() == odd_one)
         c.gather("elsewhere");
       else
         c.gather(elements, begins);
     }},
    {"another model",
     [](Communicator& c) {
       const nn::Linear model(4, c.rank() == odd_one ? 5 : 4);
       optim::Distributed<optim::Adam>(c, model);
     }},
    {"goes on",  // after an error of all
     [](Communicator& c) {
       try {
         if (c.rank() == odd_one) c.raise("once");
         c.gather("");
       } catch (const ProcessError&) {
         if (c.gather("again").size() == c.size()) throw;
       }
     }},
    {"state",
     [](Communicator& c) {
       nn::Sequential model{nn::Linear(1000, 1000), nn::Linear(1000, 500)};
       optim::Distributed<optim::Adam> optimizer(c, model);
       const datasets::TensorDataset data(ones({8, 1000}), zeros({8, 500}));
       for (const auto& [x, y] : datasets::DataLoader(data, {.batch_size = 8, .communicator = &c})) {
         optimizer.zero_grad();
         nn::mse_loss(model(x), y).backward();
         optimizer.step();
       }
       std::size_t parameters = 0;
       for (const auto& [name, parameter] : model.parameters()) parameters += parameter.size();
       const double share =
           static_cast<double>(optimizer.state_bytes()) / static_cast<double>(2 * sizeof(Scalar) * parameters);
       for (const std::string& text : c.gather(std::to_string(share)))
         if (c.is_first()) std::printf("%s\n", text.c_str());
     }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  bool first = Communicator::launched_as() == std::size_t{0};
  std::optional<Communicator> communicator;  // to the end: what is said must be heard before the others end
  try {
    communicator.emplace(CommunicatorOptions{.deadline = std::stod(argv[2])});
    try {
      cases.at(argv[1])(*communicator);
    } catch (const DataError& error) {
      communicator->raise(error.what());
    }
  } catch (const ProcessError& error) {
    if (communicator) first = communicator->is_first();
    if (first) std::printf("%s\n", error.what()), std::fflush(stdout);
    return 1;
  }
  return 0;
}
