#include "network_file.h"

#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/core/safetensors.h>

#include <algorithm>

#include "text.h"

namespace train {

using namespace xgrad;

namespace {

constexpr std::size_t largest_side = 4096, most_classes = 65536;
constexpr const char* shape_names[] = {"channels", "height", "width"};
constexpr const char* table_key = "table";

}  // namespace

StateDict description(const Architecture& architecture, const std::vector<std::string>& class_names) {
  std::string hidden;
  for (const std::size_t width : architecture.hidden) hidden += message(hidden.empty() ? "" : ",", width);
  StateDict state{.texts = {{"model", std::string(architecture.kind->name)}, {"hidden", hidden}}};
  for (std::size_t d = 0; d < 3; ++d)
    state.scalars.emplace_back(shape_names[d], static_cast<double>(architecture.image_shape[d]));
  if (!architecture.sees_pictures) state.texts.emplace_back(table_key, "yes");
  state.scalars.emplace_back("classes", static_cast<double>(class_names.size()));
  for (std::size_t i = 0; i < class_names.size(); ++i)  // a folder's name may be no UTF-8
    state.texts.emplace_back(message("class.", i), printable(class_names[i]));
  return state;
}

TrainedNetwork load_network(const std::filesystem::path& file, LoadOptions options) {
  const StateDict state = load_checkpoint(file, options), part = state.below("network.");
  if (part.texts.empty() && part.scalars.empty())
    throw DataError(message("[network] ", printable(file.string()),
                            ": it does not say what its network is: an earlier version of train has saved it"));
  for (const auto& [name, text] : part.texts)
    if (name == table_key)
      throw DataError(
          message("[network] ", printable(file.string()), ": its network is of a table, and sees no pictures"));
  StateReader reader("network", part);
  const auto size = [&reader](const char* name, std::size_t most) {
    const std::uint64_t value = reader.count(name);
    if (value < 1 || value > most) reader.misfit(name, ": expected 1 to ", most, ", got ", value);
    return static_cast<std::size_t>(value);
  };
  const std::string kind = reader.text("model"), hidden = reader.text("hidden");
  Architecture architecture{
      nullptr, {}, {size("channels", 4), size("height", largest_side), size("width", largest_side)}, 0};
  for (const ModelKind& model : model_kinds())
    if (model.name == kind) architecture.kind = &model;
  if (!architecture.kind) reader.misfit("model: '", printable(kind), "' is unknown");
  architecture.classes = size("classes", most_classes);
  std::vector<std::string> class_names;
  for (std::size_t i = 0; i < std::min(architecture.classes, most_classes); ++i)
    class_names.push_back(reader.text(message("class.", i)));
  try {
    for (const std::string& width : cli::split(hidden))
      architecture.hidden.push_back(cli::parse_count("hidden", width, 1, widest));
  } catch (const cli::UsageError& error) {
    reader.misfit(error.what());
  }
  reader.finish();

  const StateDict evaluation = state.below("evaluation.");
  nn::Sequential model = architecture.make();
  model.load_state_dict(evaluation.tensors.empty() ? state.below("model.") : evaluation);
  model.eval();
  return {std::move(architecture), std::move(class_names), std::move(model)};
}

}  // namespace train
