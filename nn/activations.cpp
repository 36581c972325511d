#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>

namespace xgrad::nn {

Hardtanh::Hardtanh(double low, double high) : low_(low), high_(high) {
  if (!(low < high)) throw ValueError(message("[hardtanh] expected low < high, got ", low, " and ", high));
}

}  // namespace xgrad::nn
