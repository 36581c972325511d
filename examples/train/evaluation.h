// What a network gets right and wrong.
#pragma once

#include <xgrad/core/communicator.h>
#include <xgrad/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "samples.h"

namespace train {

struct Mistake {
  std::size_t sample, label, prediction;
  double probability;  ///< of the prediction
};

struct Evaluation {
  double accuracy;                     ///< in [0, 1]
  xgrad::IndexTensor confusion = {};   ///< as nn::confusion_matrix: rows are labels, columns predictions
  std::vector<Mistake> mistakes = {};  ///< the surest ones, worst first
};

/// In evaluation mode and without gradients; the network is in its own mode afterwards. Processes share the work.
/// ValueError for a score that is not finite.
Evaluation evaluate(xgrad::nn::Module& network, const Samples& data, xgrad::Communicator* communicator = nullptr);

struct Confusion {
  std::size_t label, prediction;
  std::int64_t count;  ///< at least 1
};
/// The pairs that were confused most often, at most `most` of them, the most frequent first.
std::vector<Confusion> worst_confusions(const xgrad::IndexTensor& confusion, std::size_t most);

}  // namespace train
