// The rules that are compared, each on a card.
#pragma once

#include "../document.h"

namespace lab::step {

/// In the order of rules(), and L-BFGS. The formulas are those of the code.
Cards rule_cards();

}  // namespace lab::step
