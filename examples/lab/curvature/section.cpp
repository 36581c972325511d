// How curved the loss is along training, and what it looks like from where training ends.
#include <array>

#include "parts.h"

namespace lab {

Section curvature(const Context& context) {
  struct Part {
    Blocks (*make)(const Context&, const Progress&);
    double quick_share, share;  // of the time
  };
  constexpr std::array parts = {Part{gradient_descent_edge, 0.2, 0.2}, Part{adaptive_edge, 0.3, 0.3},
                                Part{between_solutions, 0.15, 0.1}, Part{around_solutions, 0.2, 0.2},
                                Part{trajectories, 0.15, 0.2}};
  Section section = {.id = "curvature", .title = say::title{}, .blocks = {Text{say::introduction{}}}};
  double done = 0;
  for (const Part& part : parts) {
    const double share = context.pick(part.quick_share, part.share);
    for (Block& block : part.make(context, [&](double within) { context.progress(done + share * within); }))
      section.blocks.push_back(std::move(block));
    done += share;
  }
  section.blocks.emplace_back(Box{say::think{}, say::think_words{}});
  section.blocks.emplace_back(Box{say::remember{}, say::remember_words{}});
  return section;
}

}  // namespace lab
