// Backpropagation with every value and gradient on the way, as on a blackboard: a two-layer network of five numbers.
//
//   h1 = relu(w1 x), h2 = relu(w2 x), y = v1 h1 + v2 h2 + b, loss = (y - 1)^2
//
// backprop_by_hand [FILE.dot]: prints each node of the graph that the library recorded, forwards and then backwards,
// makes a step of gradient descent, and writes the graph for Graphviz: dot -Tsvg -O FILE.dot
#include <xgrad/xgrad.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "cli/program.h"

using namespace xgrad;

namespace {

struct Network {
  Variable x{Tensor({2}), true};  // its gradient is not used for learning: it shows how two ways add up
  Variable w1{Tensor({0.5}), true}, w2{Tensor({-1}), true}, v1{Tensor({1.5}), true}, v2{Tensor({3}), true},
      b{Tensor({-1}), true};
  NamedVariables parameters = {{"w1", w1}, {"w2", w2}, {"v1", v1}, {"v2", v2}, {"b", b}};

  // All nodes in the order in which they are computed, with their names.
  NamedVariables forward() const {
    const Variable z1 = w1 * x, z2 = w2 * x, h1 = relu(z1), h2 = relu(z2), p1 = v1 * h1, p2 = v2 * h2, p = p1 + p2,
                   y = p + b, e = y - 1;
    return {{"x", x},   {"w1", w1}, {"w2", w2}, {"v1", v1}, {"v2", v2}, {"b", b}, {"z1", z1}, {"z2", z2},
            {"h1", h1}, {"h2", h2}, {"p1", p1}, {"p2", p2}, {"p", p},   {"y", y}, {"e", e},   {"loss", square(e)}};
  }
};

std::string name_of(const NamedVariables& nodes, const Variable& wanted) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const auto& one) { return one.second.node() == wanted.node(); });
  return found != nodes.end() ? found->first : "1";
}

std::string formula(const NamedVariables& nodes, const Variable& node) {
  std::string text;
  for (const Variable& input : node.inputs()) text += message(text.empty() ? "" : ", ", name_of(nodes, input));
  return node.operation().empty() ? "given" : message(node.operation(), "(", text, ")");
}

std::string number(const Variable& value) { return message(double(value.item()) + 0.0); }

Variable derivative(const Variable& of, const Variable& by) { return grad(of, {by}, {.retain_graph = true})[0]; }

// The chain rule: over all nodes that read this one, the sum of their gradient times their own derivative.
std::string chain(const NamedVariables& nodes, const Variable& node) {
  const Variable& loss = nodes.back().second;
  std::string terms;
  for (const auto& [name, reader] : nodes)
    for (const Variable& input : reader.inputs())
      if (input.node() == node.node())
        terms += message(terms.empty() ? "" : " + ", number(derivative(loss, reader)), " [", name, "] * ",
                         number(derivative(reader, node)));
  return terms.empty() ? "1" : message(terms, " = ", number(derivative(loss, node)));
}

std::string picture(const NamedVariables& nodes) {
  std::string text = R"(digraph backprop {
  label="Blue: numbers that learn. Grey: numbers that are given. Orange: d (the node at the arrow) / d (the node before it).
A gradient is the sum, over the arrows out of a node, of the orange number times the gradient at the arrow."
  rankdir=LR; bgcolor=white; pad=0.2; fontname="Helvetica";
  node [shape=Mrecord, style=filled, fillcolor=white, fontname="Helvetica", fontsize=12];
  edge [color="#777777", fontcolor="#b34700", fontname="Helvetica", fontsize=12];
  legend [label="name = operation|value: from left to right|gradient d loss / d name: from right to left"];
  1 [fillcolor="#dddddd"];
)";
  for (const auto& [name, node] : nodes) {
    const char* color = !node.operation().empty() ? "white" : name == "x" ? "#dddddd" : "#bfdcf7";
    text +=
        message("  ", name, " [label=\"", name, node.operation().empty() ? "" : " = ", node.operation(), "|",
                number(node), "|", number(derivative(nodes.back().second, node)), "\", fillcolor=\"", color, "\"];\n");
    for (const Variable& input : node.inputs())
      text += message("  ", name_of(nodes, input), " -> ", name, " [label=\"",
                      input.requires_grad() ? number(derivative(node, input)) : "", "\"];\n");
  }
  return text + "}\n";
}

void run(const char* path) {
  const Network network;
  const NamedVariables nodes = network.forward();
  std::puts("Forwards: each node from those before it");
  for (const auto& [name, node] : nodes)
    std::printf("  %-4s = %-16s = %s\n", name.c_str(), formula(nodes, node).c_str(), number(node).c_str());

  std::puts("\nBackwards: d loss / d node, from [the nodes that read it]: their gradient * their derivative by it");
  for (std::size_t i = nodes.size(); i-- > 0;)
    std::printf("  %-4s : %s\n", nodes[i].first.c_str(), chain(nodes, nodes[i].second).c_str());

  const std::string graph = picture(nodes);  // before the step changes values
  optim::SGD optimizer(network.parameters, {.lr = 0.05});
  nodes.back().second.backward();
  optimizer.step();
  std::puts("\nA step of gradient descent, with rate 0.05: number - 0.05 * gradient");
  for (const auto& [name, parameter] : network.parameters)
    std::printf("  %-4s : %s\n", name.c_str(), number(parameter).c_str());
  std::printf("  loss : %s\n", number(network.forward().back().second).c_str());

  if (!path) return;
  std::ofstream file(path);
  if (!(file << graph << std::flush)) throw std::runtime_error(message("cannot write ", path));
  std::printf("\n%s: the graph; dot -Tsvg -O %s draws it\n", path, path);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("backprop_by_hand", [&] {
    run(argc > 1 ? argv[1] : nullptr);
    return 0;
  });
}
