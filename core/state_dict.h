// The one type for everything that must survive a restart: parameters, buffers, optimizer state, counters.
#pragma once

#include <xgrad/core/errors.h>
#include <xgrad/core/tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad {

/// Named arrays, numbers and texts, in the order in which they were added.
struct StateDict {
  std::vector<std::pair<std::string, Tensor>> tensors = {};
  std::vector<std::pair<std::string, double>> scalars = {};
  std::vector<std::pair<std::string, std::string>> texts = {};

  /// The array of that name, or nullptr.
  const Tensor* find(const std::string& name) const;

  /// Adds all that a part has, each name behind the prefix: add("model.", model.state_dict()).
  void add(const std::string& prefix, StateDict part);
  /// The part that was added with that prefix; empty where there is none.
  StateDict below(const std::string& prefix) const;
};

/// Takes a state apart, strictly: ask for all that there should be, then finish(), and only then change something.
class StateReader {
 public:
  /// The owner is named in errors. The state must outlive the reader.
  StateReader(std::string_view owner, const StateDict& state);

  // What is missing or does not fit is noted for finish(); nullptr, 0 or "" stands in for it.

  const Tensor* tensor(const std::string& name, const Shape& shape);
  bool has_scalar(const std::string& name) const { return scalars_.contains(name); }
  double scalar(const std::string& name) { return take(scalars_, name, 0.0); }
  std::uint64_t count(const std::string& name);  ///< a scalar that is a whole number, from 0 to 2^53
  std::string text(const std::string& name) { return take(texts_, name, std::string()); }

  /// Notes something else that is wrong.
  template <class... Parts>
  void misfit(const Parts&... parts) {
    if (++misfit_count_ <= most_listed) misfits_ += message("\n  ", parts...);
  }
  /// DataError that lists the misfits, 100 at most, and every name that comes twice or was not asked for. Texts that
  /// nobody asks for may be there: notes of other programs.
  void finish();

 private:
  template <class T>
  using Index = std::map<std::string_view, const T*>;

  template <class T>
  T take(Index<T>& index, const std::string& name, T otherwise) {
    if (const auto found = index.extract(name)) return *found.mapped();
    misfit("missing: ", printable(name));
    return otherwise;
  }

  static constexpr std::size_t most_listed = 100;
  std::string owner_, misfits_;
  std::size_t misfit_count_ = 0;
  Index<Tensor> tensors_;
  Index<double> scalars_;
  Index<std::string> texts_;
};

}  // namespace xgrad
