#include "evaluation.h"

#include <xgrad/autograd/activations.h>
#include <xgrad/core/errors.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/metrics.h>

#include <algorithm>

namespace train {

using namespace xgrad;

namespace {

constexpr std::size_t most_mistakes = 24;

void add_mistakes(std::vector<Mistake>& mistakes, const Variable& scores, const IndexTensor& labels,
                  std::size_t first) {
  const Tensor probabilities = softmax(scores).value();
  const std::size_t classes = probabilities.shape()[1];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Scalar* row = scores.value().data() + i * classes;
    const auto label = static_cast<std::size_t>(labels.data()[i]);
    const auto prediction = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
    if (prediction != label)
      mistakes.push_back({first + i, label, prediction, static_cast<double>(probabilities(i, prediction))});
  }
}

// Puts together what the processes have found, in the order of the samples.
void share(Evaluation& result, Communicator& communicator) {
  const auto bytes_of = [](const auto& list) {
    return std::string(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(*list.data()));
  };
  const std::vector<std::string> counts = communicator.gather(bytes_of(result.confusion));
  const std::vector<std::string> mistakes = communicator.gather(bytes_of(result.mistakes));
  result.confusion.fill(0);
  result.mistakes.clear();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    IndexTensor part = IndexTensor::from_shape(result.confusion.shape());
    std::copy(counts[i].begin(), counts[i].end(), reinterpret_cast<char*>(part.data()));
    result.confusion += part;
    const std::size_t before = result.mistakes.size();
    result.mistakes.resize(before + mistakes[i].size() / sizeof(Mistake));
    std::copy(mistakes[i].begin(), mistakes[i].end(), reinterpret_cast<char*>(result.mistakes.data() + before));
  }
}

}  // namespace

Evaluation evaluate(nn::Module& network, const Samples& data, Communicator* communicator) {
  constexpr std::size_t batch_size = 500;
  const NoGrad no_grad;
  const nn::EvaluationMode evaluation(network);
  const std::size_t classes = data.class_names().size();
  Evaluation result{0, IndexTensor::from_shape({classes, classes})};
  result.confusion.fill(0);
  const std::size_t batches = (data.size() + batch_size - 1) / batch_size,
                    rank = communicator ? communicator->rank() : 0, processes = communicator ? communicator->size() : 1;
  std::size_t first = batches * rank / processes * batch_size;
  const std::size_t end = std::min(batches * (rank + 1) / processes * batch_size, data.size());
  if (first < end)
    for (const auto& [images, labels] : datasets::DataLoader(data.slice(first, end), {.batch_size = batch_size})) {
      const Variable scores = network(images);
      if (!all_finite(scores.value())) throw ValueError("[evaluation] a score is not finite");
      result.confusion += nn::confusion_matrix(scores, labels);
      add_mistakes(result.mistakes, scores, labels, first);
      first += labels.size();
    }
  if (communicator) share(result, *communicator);
  result.accuracy = static_cast<double>(data.size() - result.mistakes.size()) / static_cast<double>(data.size());
  std::stable_sort(result.mistakes.begin(), result.mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.probability > b.probability; });
  if (result.mistakes.size() > most_mistakes) result.mistakes.resize(most_mistakes);
  return result;
}

std::vector<Confusion> worst_confusions(const IndexTensor& confusion, std::size_t most) {
  std::vector<Confusion> all;
  for (std::size_t label = 0; label < confusion.shape()[0]; ++label)
    for (std::size_t prediction = 0; prediction < confusion.shape()[1]; ++prediction)
      if (const std::int64_t count = confusion(label, prediction); label != prediction && count > 0)
        all.push_back({label, prediction, count});
  std::stable_sort(all.begin(), all.end(), [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace train
