#include <xgrad/autograd/node.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/autograd/variable.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <new>

namespace xgrad {
namespace {

thread_local bool recording = true;
thread_local Substitution* substitution = nullptr;

const Node& checked(const std::shared_ptr<Node>& node) {
  if (!node) throw GraphError("[variable] an empty Variable has no value");
  return *node;
}

Tensor& dense_grad(const Variable& variable, bool look) {
  if (!variable.has_grad())
    throw GraphError(message("[grad] no gradient has arrived at this variable of shape ", variable.shape()));
  Node& node = *variable.node();
  return node.extension ? node.extension->dense_grad(node, look) : *node.grad;
}

// What a dying node held, for as long as an outer call destroys nodes: a chain of 10^6 nodes must not recurse.
struct Remains {
  std::vector<Variable> inputs;
  Backward backward;
};
class Graveyard {
 public:
  // Where there is no memory to wait in, they are destroyed here and now, within the destructor of another.
  void add(Remains remains) {
    if (many_.empty() && count_ < few_.size()) {
      few_[count_++] = std::move(remains);
      return;
    }
    try {
      many_.push_back(std::move(remains));
    } catch (const std::bad_alloc&) {
    }
  }
  void empty() {
    while (count_ > 0 || !many_.empty()) {
      const Remains last = std::move(many_.empty() ? few_[--count_] : many_.back());
      if (!many_.empty()) many_.pop_back();
    }
  }

 private:
  std::array<Remains, 8> few_;  // without memory, which may be what there is none of
  std::size_t count_ = 0;
  std::vector<Remains> many_;
};
thread_local Graveyard* graveyard = nullptr;

}  // namespace

Node::~Node() {
  if (inputs.empty()) return;
  if (graveyard) {
    graveyard->add({std::move(inputs), std::move(backward)});
    return;
  }
  Graveyard outermost;
  graveyard = &outermost;
  outermost.add({std::move(inputs), std::move(backward)});
  outermost.empty();
  graveyard = nullptr;
}

std::uint64_t Node::versions() const {
  std::uint64_t sum = version;
  for (const Variable& input : inputs) sum += input ? input.node()->version : 0;
  return sum;
}

Variable::Variable(Tensor value, bool requires_grad) : node_(std::make_shared<Node>(std::move(value))) {
  node_->requires_grad = requires_grad;
}

const Shape& Variable::shape() const& { return checked(node_).value.shape(); }
std::size_t Variable::size() const { return checked(node_).value.size(); }

const Tensor& Variable::value() const& {
  const Node& node = checked(node_);
  if (node.extension) node.extension->before_value_is_read();
  return node.value;
}

Tensor Variable::value() && {
  const Tensor& kept = value();
  if (!unique()) return kept;
  return std::move(node_->value);
}

Tensor& Variable::mutable_value() const {
  value();
  ++node_->version;
  return node_->value;
}

Scalar Variable::item() const {
  if (size() != 1) throw ShapeError(message("[item] expected one element, got the shape ", shape()));
  return value().data()[0];
}

bool Variable::requires_grad() const { return node_ && node_->requires_grad; }

bool Variable::has_grad() const { return node_ && (node_->grad || (node_->extension && node_->extension->has_grad())); }

const Tensor& Variable::grad() const& { return dense_grad(*this, true); }
Tensor& Variable::mutable_grad() const { return dense_grad(*this, false); }

void Variable::clear_grad() const {
  checked(node_);
  node_->grad.reset();
  if (node_->extension) node_->extension->clear_grad();
}

std::string_view Variable::operation() const& { return checked(node_).operation; }

const std::vector<Variable>& Variable::inputs() const& { return checked(node_).inputs; }

const Attributes& Variable::attributes() const& { return checked(node_).attributes; }

Substitution::Substitution() : outer_(std::exchange(substitution, this)) {}
Substitution::~Substitution() { substitution = outer_; }

void Substitution::apply(std::vector<Variable>& inputs) {
  if (!substitution) return;
  for (Variable& input : inputs)
    if (const auto found = substitution->instead_.find(input.node()); found != substitution->instead_.end())
      input = found->second;
}

Variable record(std::string_view operation, Tensor value, std::vector<Variable> inputs, Backward backward,
                Attributes attributes) {
  static std::atomic<std::uint64_t> count = 0;
  Profile* const profile = Profile::current();
  if (profile) profile->add(operation);
  Substitution::apply(inputs);
  Variable output(std::move(value));
  if (!recording || std::none_of(inputs.begin(), inputs.end(), [](const Variable& v) { return v.requires_grad(); }))
    return output;
  Node& node = *output.node_;
  node.operation = operation;
  node.inputs = std::move(inputs);
  node.backward = std::move(backward);
  node.attributes = std::move(attributes);
  node.number = count.fetch_add(1, std::memory_order_relaxed) + 1;
  node.recorded = node.versions();
  node.requires_grad = true;
  if (profile) profile->add("record");
  return output;
}

NoGrad::NoGrad(bool record_now) : previous_(std::exchange(recording, record_now)) {}
NoGrad::~NoGrad() { recording = previous_; }
bool is_recording() { return recording; }

}  // namespace xgrad
