// The nodes of an ONNX graph as they are added, and the file that they become.
#pragma once

#include <xgrad/onnx/operators.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace xgrad::onnx {

class GraphFile {
 public:
  using Names = std::vector<std::string>;  ///< of values in the file; "" is an input that is left out
  using Options = std::map<std::string, Attribute>;
  struct Value {
    std::string name;
    std::vector<std::optional<std::size_t>> sizes;  ///< none for one that the file leaves open
    std::size_t batch;                              ///< the dimension that is the batch's
  };

  GraphFile();
  ~GraphFile();
  GraphFile(const GraphFile&) = delete;
  GraphFile& operator=(const GraphFile&) = delete;

  /// Keeps a name from nodes. False where it was taken.
  bool take(const std::string& name) { return taken_.insert(name).second; }
  /// Adds a node, whose output has the name that is returned: one of its own, or what it is to be called.
  std::string add(const std::string& op, const Names& inputs, const Options& options = {}, std::string called = "");
  std::string constant(const Tensor& value, const std::string& called = "");
  std::string number(double value) { return constant(full({}, static_cast<Scalar>(value))); }
  /// Whole numbers, one constant for all that are equal.
  std::string integers(const Integers& numbers, const Shape& shape);
  std::string integers(const Integers& numbers) { return integers(numbers, {numbers.size()}); }

  /// The file's bytes. The results become the outputs; of the weights only those that a node reads are written.
  /// ValueError for more than 2 GB.
  std::string write(const Names& results, const std::vector<Value>& inputs, const std::vector<Value>& outputs,
                    const std::vector<std::pair<std::string, Tensor>>& weights);

 private:
  struct Message;
  std::unique_ptr<Message> message_;
  std::map<std::pair<Integers, Integers>, std::string> integers_;  // by shape and elements
  std::set<std::string> taken_;
  std::size_t count_ = 0;
};

}  // namespace xgrad::onnx
