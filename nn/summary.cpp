#include <cxxabi.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/call_log.h>
#include <xgrad/nn/summary.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <typeinfo>

namespace xgrad::nn {
namespace {

struct Entry {
  Module& module;
  std::string name;
  std::size_t depth;
  bool training;
};

// The module and all below it, parents first.
void list(Module& module, const std::string& name, std::size_t depth, std::vector<Entry>& entries) {
  entries.push_back({module, name, depth, module.training()});
  for (const auto& [child_name, child] : module.children())
    list(*child, name.empty() ? child_name : name + "." + child_name, depth + 1, entries);
}

// Evaluation mode, the generator and the log of calls, put back on every way out.
class Observation {
 public:
  explicit Observation(const std::vector<Entry>& entries) : entries_(entries) {
    entries_.front().module.eval();
    detail::call_log() = &calls;
  }
  ~Observation() {
    detail::call_log() = nullptr;
    default_generator() = generator_;
    for (const Entry& entry : entries_) entry.module.train(entry.training);  // children after their parents
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  std::vector<detail::Call> calls;

 private:
  const std::vector<Entry>& entries_;
  Generator generator_ = default_generator();
};

// "Block<Tanh>" for (anonymous namespace)::Block<xgrad::nn::Tanh>, "Layer" for main::Layer and f(int)::Layer.
std::string type_name(const Module& module) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(typeid(module).name(), nullptr, nullptr, &status);
  const std::string full = demangled ? demangled : typeid(module).name();
  std::free(demangled);
  std::string name;
  std::vector<std::size_t> begins = {0};  // where the name being read begins, a bracket each
  for (const char c : full) {
    if (c == ':') {
      name.resize(begins.back());
      continue;
    }
    name += c;
    if (c == '<' || c == '(')
      begins.push_back(name.size());
    else if (begins.size() > 1 && (c == '>' || c == ')'))
      begins.pop_back();
    else if (begins.size() > 1 && (c == ',' || c == ' '))
      begins.back() = name.size();
  }
  return name;
}

// 1234567 as "1,234,567".
std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ',');
  return digits;
}

std::string output_of(const Module& module, const std::vector<detail::Call>& calls) {
  std::string shape = "not called";
  std::size_t count = 0;
  for (const detail::Call& call : calls) {
    if (call.module != &module) continue;
    shape = to_string(call.output);
    ++count;
  }
  return count < 2 ? shape : message(shape, " x ", count);
}

std::size_t count_elements(const NamedVariables& variables) {
  std::size_t count = 0;
  for (const auto& [name, variable] : variables) count += variable.size();
  return count;
}

std::size_t own_parameters(const Module& module) {
  std::size_t count = count_elements(module.parameters());
  for (const auto& [name, child] : module.children()) count -= count_elements(child->parameters());
  return count;
}

}  // namespace

std::string summary(Module& module, const Shape& input_shape) {
  std::vector<Entry> entries;
  list(module, "", 0, entries);
  std::vector<std::array<std::string, 4>> rows = {{"Layer", "Name", "Output", "Parameters"}};
  {
    const NoGrad no_grad;
    Observation observation(entries);
    module(Variable(zeros(input_shape)));
    for (const Entry& entry : entries) {
      const std::size_t own = own_parameters(entry.module);
      rows.push_back({std::string(2 * entry.depth, ' ') + type_name(entry.module), entry.name,
                      output_of(entry.module, observation.calls), own == 0 ? "" : grouped(own)});
    }
  }
  const std::size_t parameters = count_elements(module.parameters()), buffers = count_elements(module.buffers());
  rows.push_back({"Total", "", "", grouped(parameters)});

  std::array<std::size_t, 4> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  const std::string rule(widths[0] + widths[1] + widths[2] + widths[3] + 6, '-');
  std::string table;
  for (const auto& row : rows) {
    if (&row == &rows.back()) table += rule + '\n';
    for (std::size_t i = 0; i < 3; ++i) table += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    table += std::string(widths[3] - row[3].size(), ' ') + row[3];
    table.erase(table.find_last_not_of(' ') + 1);
    table += '\n';
    if (&row == &rows.front()) table += rule + '\n';
  }
  table += message(grouped(sizeof(Scalar) * parameters), " bytes of parameters");
  if (buffers > 0) table += message(", ", grouped(sizeof(Scalar) * buffers), " bytes of buffers");
  return table + '\n';
}

}  // namespace xgrad::nn
