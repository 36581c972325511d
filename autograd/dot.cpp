#include <xgrad/autograd/dot.h>
#include <xgrad/autograd/node.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <unordered_map>

namespace xgrad {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

std::string to_dot(const Variable& output, const NamedVariables& names) {
  std::unordered_map<const Node*, std::string> named;
  for (const auto& [name, variable] : names) named.emplace(variable.node(), name);

  std::string nodes, edges;
  std::unordered_map<const Node*, std::size_t> ids = {{output.node(), 0}};
  std::vector<Variable> pending = {output};
  while (!pending.empty()) {
    const Variable current = std::move(pending.back());
    pending.pop_back();
    const std::string id = message("n", ids.at(current.node()));
    const bool leaf = current.operation().empty();
    const auto name = named.find(current.node());
    const std::string title = name != named.end() ? name->second : leaf ? "constant" : std::string(current.operation());
    const std::string_view style = !leaf                     ? "shape=ellipse"
                                   : current.requires_grad() ? "shape=box, style=filled, fillcolor=\"#cfe3f7\""
                                                             : "shape=box, style=filled, fillcolor=\"#eeeeee\"";
    std::string attributes;
    for (const auto& [attribute, numbers] : current.attributes()) {
      attributes += "\\n" + escaped(attribute);
      for (std::size_t i = 0; i < std::min<std::size_t>(numbers.size(), 16); ++i)
        attributes += message(" ", numbers[i]);
      if (numbers.size() > 16) attributes += " …";  // such as the positions of a gather
    }
    nodes += message("  ", id, " [label=\"", escaped(title), "\\n", current.shape(), attributes, "\", ", style, "];\n");
    for (const Variable& input : current.inputs()) {
      if (!input) continue;
      const auto [entry, inserted] = ids.try_emplace(input.node(), ids.size());
      if (inserted) pending.push_back(input);
      edges += message("  n", entry->second, " -> ", id, ";\n");
    }
  }
  return message("digraph xgrad {\n  node [fontname=\"Helvetica\", fontsize=11];\n", nodes, edges, "}\n");
}

}  // namespace xgrad
