// Steps that several processes make together: each keeps the state of its part of the parameters only.
#pragma once

#include <xgrad/core/communicator.h>
#include <xgrad/optim/optimizer.h>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace xgrad::optim {

struct DistributedOptions {
  /// Above 0: the gradient of the whole batch is scaled so that its norm is at most this, as by clip_grad_norm().
  std::optional<double> max_norm = {};
};

/// ZeRO, stage 1: Rajbhandari et al. 2020. A step() takes the gradient of one micro-batch; that of the last micro-batch
/// of this process makes the step: gradients are added along the communicator's tree, each process moves its part of
/// the parameters with the optimizer within, whose state is of that part, and all parts go to all processes. Buffers,
/// such as the running statistics of BatchNorm, become what they would be by the mean over the batch. Parameters,
/// state and buffers are the same bits for any number of processes.
///
/// Gradients of a table's rows (autograd/table.h) are taken as gradients of all rows.
///
/// Parameters are cut between rows, blocks of 4,096 elements or more, where the rule allows that, and else between
/// parameters. What is marked (all) is to be called by all processes.
class DistributedOptimizer : public Optimizer {
 public:
  /// Makes the optimizer for some parameters.
  using Make = std::function<std::unique_ptr<Optimizer>(const ParameterList&)>;

  /// (all) They must have the same values in all processes. ValueError for an optimizer whose steps need a closure,
  /// one of no Rules, and, with several processes, a rule that adds up over all parameters.
  DistributedOptimizer(Communicator& communicator, const ParameterList& parameters, NamedVariables buffers,
                       const Make& make, DistributedOptions options = {});

  /// That of the optimizer within.
  std::string_view rule() const override { return inner_->rule(); }
  const ParameterList& parameters() const override { return parameters_; }
  std::size_t group_count() const override { return inner_->group_count(); }
  double& lr(std::size_t group = 0) override { return inner_->lr(group); }

  /// To be called before each backward(). Of a batch that was left, by an exception, say, before its last micro-batch,
  /// the gradients are forgotten when the next one has begun.
  void zero_grad() override;
  using Optimizer::step;
  /// (all) GraphError, before anything changes, where this is not the gradient of the micro-batch whose turn it is, or
  /// zero_grad() was not called before.
  void step() override;
  /// Whether other micro-batches of this process are to come before the step is made. Schedule::step() does nothing
  /// then.
  bool is_waiting() const override { return taken_ > 0; }

  /// Of this process.
  std::size_t state_bytes() const override { return inner_->state_bytes(); }
  std::int64_t step_count(std::string_view parameter) const override { return inner_->step_count(parameter); }
  /// The rows that this process keeps; with one process, all.
  const Tensor& state(std::string_view parameter, std::string_view slot) const override {
    return inner_->state(parameter, slot);
  }
  const RuleGroups* rule_groups() const override { return inner_->rule_groups(); }

  /// (all) What the optimizer within would save if it had all parameters: any number of processes can load it.
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& dict) override;
  /// (all)
  WeightValues evaluation_weights() const override;

 private:
  /// What this process moves of a parameter: all, some of its rows, or nothing.
  struct Shard {
    bool divisible;                      // between rows
    std::size_t width;                   // elements of a row
    std::size_t first_block, end_block;  // none where they are the same
    std::size_t first_row;               // where the first block begins
    Variable variable;                   // of these rows; where they are all, the parameter itself
    bool is_own() const { return first_block < end_block; }
  };
  /// The sum of the gradients of 2^level neighbours; null where a parameter has none.
  struct Subtotal {
    std::size_t level = 0;
    std::vector<std::unique_ptr<Tensor>> gradients = {};
  };

  void divide(const RuleGroups& rules);
  Shard shard_of(std::size_t parameter, bool divisible) const;
  void take_gradients(const MicroBatch& now);
  std::size_t last_of_one_level() const;
  void merge();
  std::vector<const Scalar*> sources(std::size_t first, std::size_t parameter, std::size_t element) const;
  std::unique_ptr<Tensor> take_sum(std::size_t first, std::size_t parameter, Scalar factor);
  void take_buffers(const MicroBatch& now);
  void finish(const MicroBatch& now);
  std::vector<bool> agree_on_gradients() const;
  void share_gradients(const std::vector<bool>& present);
  void clip(const std::vector<bool>& present) const;
  void share_values();
  void mend_buffers(const MicroBatch& now);
  std::optional<std::size_t> parameter_of(std::string_view state) const;
  Tensor own_part(const Tensor& whole, std::size_t parameter) const;

  Communicator& communicator_;
  ParameterList parameters_;
  NamedVariables buffers_;
  Make make_;
  DistributedOptions options_;
  // All elements are numbered throughout. Each list ends with the number of all.
  std::vector<std::size_t> offsets_;         // of the first element of each parameter
  std::vector<std::size_t> blocks_;          // of each block
  std::vector<std::size_t> begins_;          // of each process
  std::vector<std::size_t> first_blocks_;    // the first block of each parameter
  std::vector<std::size_t> process_blocks_;  // and of each process
  std::vector<Shard> shards_;                // one for each parameter
  std::unique_ptr<Optimizer> inner_;
  std::vector<Subtotal> subtotals_;
  std::vector<Scalar, Allocator<Scalar>> elements_, received_;
  std::vector<Tensor> buffers_before_;
  std::vector<double> buffer_changes_;  // of each micro-batch of this process so far
  std::size_t taken_ = 0;               // micro-batches of this step, …
  std::uint64_t step_ = 0;              // … which has this number
  bool zeroed_ = false;
};

/// In place of the optimizer O, for a model (or anything else that has parameters() and buffers()):
///
///   Communicator communicator;
///   optim::Distributed<optim::Adam> optimizer(communicator, model, {.lr = 1e-3});
template <std::derived_from<Optimizer> O>
class Distributed : public DistributedOptimizer {
 public:
  using Options = typename O::Options;
  template <class Model>
  Distributed(Communicator& communicator, const Model& model, Options options = {}, DistributedOptions distributed = {})
      : DistributedOptimizer(
            communicator, model.parameters(), model.buffers(),
            [options](const ParameterList& parameters) { return std::make_unique<O>(parameters, options); },
            distributed) {}
};

}  // namespace xgrad::optim
