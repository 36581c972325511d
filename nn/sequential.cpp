#include <xgrad/core/errors.h>
#include <xgrad/nn/sequential.h>

namespace xgrad::nn {

Variable Sequential::forward(const Variable& x) {
  Variable y = x;
  for (const auto& [name, layer] : children()) y = (*layer)(y);
  return y;
}

Module& Sequential::push_back(std::unique_ptr<Module> layer) { return adopt(std::to_string(size()), std::move(layer)); }

Module& Sequential::operator[](std::size_t index) const {
  if (index >= size()) throw ValueError(message("[sequential] expected an index below ", size(), ", got ", index));
  return *children()[index].second;
}

}  // namespace xgrad::nn
