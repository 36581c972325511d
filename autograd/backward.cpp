// The backward pass: visits the graph from the output by descending number of creation, iteratively.
#include <xgrad/autograd/node.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/flush_to_zero.h>

#include <algorithm>
#include <unordered_set>

namespace xgrad {
namespace {

thread_local bool filling_leaves = false;

struct Recording : NoGrad {
  Recording(bool on, bool fills_leaves) : NoGrad(on), outer_(std::exchange(filling_leaves, fills_leaves)) {}
  ~Recording() { filling_leaves = outer_; }
  bool outer_;
};

struct Differentiating {  // ends on every way out
  explicit Differentiating(std::string_view operation) {
    if (profile) profile->add("backward"), outer = profile->differentiate(operation);
  }
  ~Differentiating() {
    if (profile) profile->add("other"), profile->differentiate(outer);
  }
  Profile* profile = Profile::current();
  std::string_view outer = {};
};

struct PassOptions {
  bool create_graph, retain_graph, check_finite;
  const NamedVariables* names = nullptr;
  bool fills_leaves = false;
};

class Pass {
 public:
  Pass(const Variable& output, PassOptions options)
      : options_(options), recording_(options.create_graph, options.fills_leaves) {
    Profile::mark("other");
    if (output.size() != 1)
      throw ShapeError(message("[backward] expected a scalar, got the shape ", output.shape(), "; sum it first"));
    if (!output.requires_grad())
      throw GraphError("[backward] nothing that this value was computed from requires a gradient");
    if (options_.check_finite && !all_finite(output.value())) report_first_not_finite(output);
    send(output, Variable(ones(output.shape())));
  }
  ~Pass() {  // after an exception: the next pass must find no gradients on their way
    for (const Variable& node : queue_) node.node()->pending.forget();
  }

  // Calls deliver(variable, gradient) for leaves and targets.
  template <class Deliver>
  void run(Deliver deliver) {
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), by_number);
      const Variable current = std::move(queue_.back());
      queue_.pop_back();
      Node& node = *current.node();
      Variable gradient = node.pending.take();
      if (node.target || node.operation.empty()) deliver(current, gradient);
      if (!node.operation.empty()) propagate(current, gradient);
    }
    Profile::mark("backward");
  }

 private:
  static bool by_number(const Variable& a, const Variable& b) { return a.node()->number < b.node()->number; }

  void propagate(const Variable& current, const Variable& gradient) {
    Node& node = *current.node();
    const Differentiating timed(node.operation);
    if (!node.backward)
      throw GraphError(message("[backward] the graph at '", node.operation,
                               "' was freed by an earlier backward pass; pass "
                               "retain_graph to keep it"));
    if (node.versions() != node.recorded)
      throw GraphError(message("[backward] a value that '", node.operation, "' ", node.value.shape(),
                               " recorded was changed in place since"));
    std::vector<Variable> gradients = node.backward(current, gradient);
    if (gradients.size() != node.inputs.size())
      throw GraphError(message("[backward] '", node.operation, "' gave ", gradients.size(), " gradients for ",
                               node.inputs.size(), " inputs"));
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const Variable& input = node.inputs[i];
      if (!gradients[i] || !input.requires_grad()) continue;
      if (options_.check_finite && !all_finite(gradients[i].value()))
        throw ValueError(
            message("[", node.operation, "] the gradient of ", name_of(input, message("input ", i)), " is not finite"));
      send(input, unbroadcast(node, input, std::move(gradients[i])));
    }
    if (!options_.retain_graph) {
      node.backward = nullptr;
      std::vector<Variable>().swap(node.inputs);
    }
  }

  // The one place where broadcasting is undone.
  static Variable unbroadcast(const Node& node, const Variable& input, Variable gradient) {
    if (gradient.shape() == input.shape()) return gradient;
    try {
      return sum_to(gradient, input.shape());
    } catch (const ShapeError&) {
      throw ShapeError(
          message("[", node.operation, "] gave a gradient of ", gradient.shape(), " for an input of ", input.shape()));
    }
  }

  void send(const Variable& to, Variable gradient) {
    if (to.node()->pending.empty()) {  // into the queue first: what is there is forgotten where memory ends
      queue_.push_back(to);
      std::push_heap(queue_.begin(), queue_.end(), by_number);
    }
    to.node()->pending.add(std::move(gradient));
  }

  // With its shape; `otherwise` where it has no name.
  std::string name_of(const Variable& variable, const std::string& otherwise) const {
    if (options_.names)
      for (const auto& [name, named] : *options_.names)
        if (named.node() == variable.node()) return message("parameter '", name, "' ", variable.shape());
    return message(otherwise, " ", variable.shape());
  }
  [[noreturn]] void report_first_not_finite(const Variable& output) const;

  PassOptions options_;
  Recording recording_;
  FlushToZero flush_to_zero_;
  std::vector<Variable> queue_;  // a heap by number
};

void Pass::report_first_not_finite(const Variable& output) const {
  Variable first = output;
  std::vector<Variable> queue = {output};
  std::unordered_set<const Node*> seen;
  while (!queue.empty()) {  // descending numbers: the last one found was computed first
    std::pop_heap(queue.begin(), queue.end(), by_number);
    const Variable current = std::move(queue.back());
    queue.pop_back();
    const bool bad = !current.operation().empty() && !all_finite(current.value());
    if (bad) first = current;
    for (auto next = current.inputs().rbegin(); next != current.inputs().rend(); ++next) {
      const Variable& input = *next;
      // The order in which leaves were made says nothing: the operation that reads one tells how early it is.
      if (bad && input && input.operation().empty() && !all_finite(input.value())) first = input;
      if (!input || !seen.insert(input.node()).second) continue;
      queue.push_back(input);
      std::push_heap(queue.begin(), queue.end(), by_number);
    }
  }
  throw ValueError(message(
      "[backward] the loss is ", static_cast<double>(output.item()), "; the first value that is not finite is that of ",
      name_of(first, first.operation().empty() ? "an input" : message("'", first.operation(), "'"))));
}

void add_to_grad(const Variable& leaf, Variable& gradient, bool owned) {
  std::unique_ptr<Tensor>& sum = leaf.node()->grad;
  if (const Shape& there = sum ? sum->shape() : leaf.shape(); there != gradient.shape())
    throw ShapeError(message("[backward] a gradient of ", gradient.shape(), " arrives at a leaf of ", leaf.shape(),
                             sum ? message(" whose gradient so far is of ", there) : ""));
  if (!sum) {
    sum = owned ? std::make_unique<Tensor>(std::move(gradient.node()->value))
                : std::make_unique<Tensor>(gradient.value());
    return;
  }
  const Scalar* from = gradient.value().data();
  Scalar* to = sum->data();
  for (std::size_t i = 0; i < sum->size(); ++i) to[i] += from[i];
}

}  // namespace

bool is_filling_leaves() { return filling_leaves; }

void GradientSum::add(Variable gradient) {
  for (std::size_t n = ++count_; n % 2 == 0; n /= 2) {
    gradient = last_ + gradient;
    last_ = {};
    if (before_.empty()) continue;
    last_ = std::move(before_.back());
    before_.pop_back();
  }
  if (last_) before_.push_back(std::move(last_));
  last_ = std::move(gradient);
}

Variable GradientSum::take() {
  Variable sum = std::exchange(last_, {});
  count_ = 0;
  if (before_.empty()) return sum;
  for (auto before = std::exchange(before_, {}); !before.empty(); before.pop_back()) sum = before.back() + sum;
  return sum;
}

void Variable::backward(BackwardOptions options) const {
  Pass(*this, {.create_graph = false,
               .retain_graph = options.retain_graph,
               .check_finite = options.check_finite,
               .names = options.names,
               .fills_leaves = true})
      .run([](const Variable& leaf, Variable& gradient) { add_to_grad(leaf, gradient, gradient.unique()); });
}

Gradients grad(const Variable& output, const std::vector<Variable>& inputs, GradOptions options) {
  struct Targets {  // unmarks on every way out
    const std::vector<Variable>& inputs;
    explicit Targets(const std::vector<Variable>& list) : inputs(list) { mark(true); }
    ~Targets() { mark(false); }
    void mark(bool on) const {
      for (const Variable& input : inputs)
        if (input) input.node()->target = on;
    }
  };
  Gradients gradients(inputs.size());
  if (output.requires_grad() || !options.allow_unused) {
    const Targets targets(inputs);
    Pass(output, {.create_graph = options.create_graph,
                  .retain_graph = options.retain_graph || options.create_graph,
                  .check_finite = false})
        .run([&](const Variable& variable, const Variable& gradient) {
          for (std::size_t i = 0; i < inputs.size(); ++i)
            if (inputs[i].node() == variable.node()) gradients[i] = gradient;
        });
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (gradients[i] || !inputs[i]) continue;
    if (!options.allow_unused)
      throw GraphError(message("[grad] the output does not depend on input ", i, " ", inputs[i].shape(),
                               "; pass allow_unused to get zeros for it"));
    gradients[i] = Variable(zeros(inputs[i].shape()));
  }
  return gradients;
}

}  // namespace xgrad
