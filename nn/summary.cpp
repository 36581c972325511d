#include <cxxabi.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/call_log.h>
#include <xgrad/nn/summary.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <typeinfo>

namespace xgrad::nn {
namespace {

struct Entry {
  Module& module;
  std::string name;
  std::size_t depth;
};

// The module and all below it, parents first.
void list(Module& module, const std::string& name, std::size_t depth, std::vector<Entry>& entries) {
  entries.push_back({module, name, depth});
  for (const auto& [child_name, child] : module.children())
    list(*child, name.empty() ? child_name : name + "." + child_name, depth + 1, entries);
}

// Evaluation mode, the generator and the log of calls, put back on every way out.
class Observation {
 public:
  explicit Observation(Module& module) : mode_(module) { detail::call_log() = &calls; }
  ~Observation() {
    detail::call_log() = nullptr;
    default_generator() = generator_;
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  std::vector<detail::Call> calls;

 private:
  EvaluationMode mode_;
  Generator generator_ = default_generator();
};

// "Block<Tanh>" for (anonymous namespace)::Block<xgrad::nn::Tanh>, "Layer" for main::Layer and f(int)::Layer.
std::string type_name(const std::type_info& type) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  const std::string full = demangled ? demangled : type.name();
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

// Whether both are of the same module. A place in memory alone does not tell where forward() makes modules.
bool same(const detail::Call& a, const detail::Call& b) { return a.module == b.module && *a.type == *b.type; }

std::string output_of(const detail::Call& wanted, const std::vector<detail::Call>& calls) {
  std::string shape = "not called";
  std::size_t count = 0;
  for (const detail::Call& call : calls) {
    if (!same(call, wanted)) continue;
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

// Of the parameters that are listed as the module's own.
std::size_t count_own(const NamedVariables& parameters, const std::string& module) {
  std::size_t count = 0;
  for (const auto& [name, parameter] : parameters) {
    const std::size_t dot = name.rfind('.');
    if (module == (dot == std::string::npos ? "" : name.substr(0, dot))) count += parameter.size();
  }
  return count;
}

using Row = std::array<std::string, 4>;

std::vector<Row> layer_rows(const std::vector<Entry>& entries, const NamedVariables& parameters,
                            const std::vector<detail::Call>& calls) {
  std::vector<Row> rows;
  std::vector<detail::Call> known;
  for (const Entry& entry : entries) {
    known.push_back({&entry.module, &typeid(entry.module), {}});
    const std::size_t own = count_own(parameters, entry.name);
    rows.push_back({std::string(2 * entry.depth, ' ') + type_name(*known.back().type), entry.name,
                    output_of(known.back(), calls), own == 0 ? "" : grouped(own)});
  }
  for (const detail::Call& call : calls) {
    if (std::any_of(known.begin(), known.end(), [&](const detail::Call& other) { return same(other, call); })) continue;
    known.push_back(call);
    rows.push_back({type_name(*call.type), "not registered", output_of(call, calls), ""});
  }
  return rows;
}

}  // namespace

std::string summary(Module& module, const Shape& input_shape) {
  std::vector<Entry> entries;
  list(module, "", 0, entries);
  const NamedVariables all = module.parameters();
  std::vector<Row> rows = {{"Layer", "Name", "Output", "Parameters"}};
  {
    const NoGrad no_grad;
    Observation observation(module);
    module(Variable(zeros(input_shape)));
    for (Row& row : layer_rows(entries, all, observation.calls)) rows.push_back(std::move(row));
  }
  const std::size_t parameters = count_elements(all), buffers = count_elements(module.buffers());
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

namespace {

void write(std::ostream& out, const Module& module, const std::string& name, std::size_t depth) {
  out << std::string(2 * depth, ' ') << (name.empty() ? "" : name + ": ") << type_name(typeid(module));
  const NamedVariables all = module.parameters();
  for (const auto& [parameter, variable] : all)
    if (parameter.find('.') == std::string::npos) out << ' ' << parameter << ' ' << to_string(variable.shape());
  out << '\n';
  for (const auto& [child_name, child] : module.children()) write(out, *child, child_name, depth + 1);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Module& module) {
  write(out, module, "", 0);
  return out;
}

}  // namespace xgrad::nn
