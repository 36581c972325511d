#include "classify.h"

#include <xgrad/autograd/activations.h>
#include <xgrad/autograd/selection.h>
#include <xgrad/core/errors.h>
#include <xgrad/datasets/pictures.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "text.h"

namespace train {

using namespace cli;

using xgrad::message, xgrad::printable;

namespace {

constexpr std::size_t most_guesses = 4;

}  // namespace

std::vector<Guess> classify(TrainedNetwork& network, const std::filesystem::path& file, xgrad::LoadOptions options) {
  using namespace xgrad;
  const Shape& shape = network.architecture.image_shape;
  const datasets::Picture picture =
      datasets::read_picture(file, {.channels = shape[0], .size = {{shape[1], shape[2]}}, .load = options});
  Tensor pixels = Tensor::from_shape({1, shape[0], shape[1], shape[2]});
  datasets::to_unit(picture.pixels.data(), picture.pixels.size(), pixels.data());
  const NoGrad no_grad;
  const Variable probabilities = softmax(network.model(Variable(std::move(pixels))));
  if (!all_finite(probabilities.value()))
    throw DataError(message("[classify] ", printable(file.string()), ": the network's scores are not finite"));
  const Chosen best = topk(probabilities, std::min(most_guesses, network.class_names.size()));
  std::vector<Guess> guesses;
  for (std::size_t i = 0; i < best.positions.size(); ++i)
    guesses.push_back({network.class_names[static_cast<std::size_t>(best.positions.data()[i])],
                       static_cast<double>(best.values.value().data()[i])});
  return guesses;
}

std::string classified_table(const std::vector<Classified>& pictures) {
  std::vector<std::vector<std::string>> rows = {{"picture", "class", "probability", "next"}};
  for (const auto& [file, guesses] : pictures) {
    std::string next;
    for (std::size_t i = 1; i < guesses.size(); ++i)
      next += message(i == 1 ? "" : ", ", guesses[i].name, " ", percent(guesses[i].probability, 2));
    rows.push_back({printable(file.string()), guesses[0].name, percent(guesses[0].probability, 2), next});
  }
  std::size_t widths[3] = {};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < 3; ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    std::string line = message(pad_right(row[0], widths[0]), "  ", pad_right(row[1], widths[1]), "  ",
                               pad_left(row[2], widths[2]), "  ", row[3]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string classified_json(const std::vector<Classified>& pictures) {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const auto& [file, guesses] : pictures) {
    Json next = Json::array();
    for (std::size_t i = 1; i < guesses.size(); ++i)
      next.push_back({{"class", guesses[i].name}, {"probability", guesses[i].probability}});
    all.push_back({{"file", file.string()},
                   {"class", guesses[0].name},
                   {"probability", guesses[0].probability},
                   {"next", std::move(next)}});
  }
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace train
