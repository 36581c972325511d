#include <xgrad/core/errors.h>
#include <xgrad/nn/sequential.h>

namespace xgrad::nn {

Variable ModuleList::forward(const Variable&) {
  throw ValueError("[module_list] expected its layers to be called one by one, got a call of the list");
}

Module& ModuleList::push_back(std::unique_ptr<Module> layer) { return adopt(std::to_string(size()), std::move(layer)); }

Module& ModuleList::operator[](std::size_t index) const {
  if (index >= size()) throw ValueError(message("[module_list] expected an index below ", size(), ", got ", index));
  return *children()[index].second;
}

Variable Sequential::forward(const Variable& x) {
  Variable y = x;
  for (Module& layer : *this) y = layer(y);
  return y;
}

}  // namespace xgrad::nn
