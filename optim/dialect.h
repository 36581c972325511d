// The same name means different arithmetic in different systems.
#pragma once

namespace xgrad::optim {

/// Whose Adam or Adamax is computed, so that a run made elsewhere can be repeated here. `paper` is Kingma & Ba 2015 to
/// the letter; the formulas of each stand at Adam and at Adamax. AdamOptions::of(dialect) gives its default options.
enum class Dialect { paper, pytorch, keras, optax, mlx };

/// Whether a rule of these options divides its averages by 1 - beta^t: MLX does so only where it is asked to.
template <class Options>
bool corrects_bias(const Options& options) {
  return options.bias_correction.value_or(options.dialect != Dialect::mlx);
}

}  // namespace xgrad::optim
