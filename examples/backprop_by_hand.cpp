// Backpropagation with every value and gradient on the way, as on a blackboard: a two-layer network of five numbers.
//
//   h1 = relu(w1 x), h2 = relu(w2 x), y = v1 h1 + v2 h2 + b, loss = (y - 1)^2
//
// backprop_by_hand [FILE.dot]: prints each node of the graph that the library recorded, forwards and then backwards,
// makes a step of gradient descent, and writes the graph for Graphviz: dot -Tsvg -O FILE.dot
#include <xgrad/xgrad.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

using namespace xgrad;

namespace {

struct Network {
  Variable x{Tensor({2}), true};  // its gradient is not used for learning: it shows how two ways add up
  Variable w1{Tensor({0.5}), true}, w2{Tensor({-1}), true}, v1{Tensor({1.5}), true}, v2{Tensor({3}), true},
      b{Tensor({-1}), true};
  NamedVariables parameters = {{"w1", w1}, {"w2", w2}, {"v1", v1}, {"v2", v2}, {"b", b}};

  // All nodes in the order in which they are computed, with the names that they have on the blackboard.
  NamedVariables forward() const {
    NamedVariables nodes = {{"x", x}};
    nodes.insert(nodes.end(), parameters.begin(), parameters.end());
    const auto note = [&nodes](const char* name, const Variable& node) {
      return nodes.emplace_back(name, node).second;
    };
    const Variable z1 = note("z1", w1 * x), z2 = note("z2", w2 * x);
    const Variable h1 = note("h1", relu(z1)), h2 = note("h2", relu(z2));
    const Variable p1 = note("p1", v1 * h1), p2 = note("p2", v2 * h2);
    const Variable y = note("y", note("p", p1 + p2) + b);
    note("loss", sum(note("sq", square(note("e", y - 1)))));
    return nodes;
  }
};

std::vector<Variable> values_of(const NamedVariables& nodes) {
  std::vector<Variable> result;
  for (const auto& [name, node] : nodes) result.push_back(node);
  return result;
}

std::string name_of(const NamedVariables& nodes, const Variable& wanted) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const auto& one) { return one.second.node() == wanted.node(); });
  return found != nodes.end() ? found->first : wanted.operation().empty() ? "1" : message(wanted.operation());
}

std::string formula(const NamedVariables& nodes, const Variable& node) {
  std::string text;
  for (const Variable& input : node.inputs()) text += message(text.empty() ? "" : ", ", name_of(nodes, input));
  return node.operation().empty() ? "given" : message(node.operation(), "(", text, ")");
}

std::string number(const Variable& value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", double(value.item()) + 0.0);
  return text;
}

// Values above, gradients below; numbers that are given are boxes, and those that learn are blue.
std::string picture(const NamedVariables& nodes, const std::vector<Variable>& gradients) {
  std::string text =
      "digraph backprop {\n  rankdir=LR; bgcolor=white; label=\"upper number: value, computed from left to right\\n"
      "lower number: gradient of the loss, computed from right to left\";\n"
      "  node [shape=Mrecord, fontname=\"Helvetica\", fontsize=12]; edge [color=\"#777777\"]; "
      "fontname=\"Helvetica\";\n";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& [name, node] = nodes[i];
    const bool given = node.operation().empty();
    text += message("  ", name, " [label=\"", given ? name : message(name, " = ", node.operation()), "|", number(node),
                    "|", number(gradients[i]), "\", style=filled, fillcolor=\"",
                    !given        ? "#f4f4f4"
                    : name == "x" ? "#e4e4e4"
                                  : "#cfe3f7",
                    "\"];\n");
    for (const Variable& input : node.inputs()) text += message("  \"", name_of(nodes, input), "\" -> ", name, ";\n");
  }
  return text + "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Network network;
    const NamedVariables nodes = network.forward();
    const Variable loss = nodes.back().second;
    std::puts("Forwards: each node from those before it");
    for (const auto& [name, node] : nodes)
      std::printf("  %-4s = %-18s %8s\n", name.c_str(), formula(nodes, node).c_str(), number(node).c_str());

    std::puts("\nBackwards: how much the loss changes, per change of the node");
    const std::vector<Variable> gradients = grad(loss, values_of(nodes), {.retain_graph = true});
    for (std::size_t i = nodes.size(); i-- > 0;)
      std::printf("  d loss / d %-4s %8s\n", nodes[i].first.c_str(), number(gradients[i]).c_str());

    const std::string graph = picture(nodes, gradients);  // before the step changes values
    optim::SGD optimizer(network.parameters, {.lr = 0.05});
    loss.backward();
    optimizer.step();
    std::puts("\nA step of gradient descent, with rate 0.05: number - 0.05 * gradient");
    for (const auto& [name, parameter] : network.parameters)
      std::printf("  %-4s %28s\n", name.c_str(), number(parameter).c_str());
    std::printf("  loss %28s\n", number(network.forward().back().second).c_str());

    if (argc < 2) return 0;
    std::ofstream file(argv[1]);
    file << graph;
    if (!file.flush()) throw std::runtime_error(message("cannot write ", argv[1]));
    std::printf("\n%s: the graph; dot -Tsvg -O %s draws it\n", argv[1], argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "backprop_by_hand: %s\n", error.what());
    return 1;
  }
}
