// Where the time goes: seconds by operation, forward and in gradients.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad {

/// While it lives, the time of its thread goes to names: { Profile profile; train();
/// std::puts(profile.table().c_str()); }
///
/// What an event took is the time since the event before it: nothing counts twice, and all of it adds up to the whole.
/// Events are the ends of operations (by the names that they are recorded under), "record" and "backward" (what the
/// graph takes), "DataLoader", an optimizer's step by the name of its rule, and "other".
class Profile {
 public:
  struct Row {
    std::string name, gradient_of;  ///< gradient_of: the operation that was being differentiated, or ""
    std::size_t count;
    double seconds;
  };

  Profile() = default;
  ~Profile() { active = outer_, mark("other"); }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  const std::vector<Row>& rows() const { return rows_; }
  std::string table() const;  ///< the most seconds first

  /// The innermost Profile of this thread, or null.
  static Profile* current() { return active; }
  /// The time since the last event goes to this name.
  void add(std::string_view name);
  static void mark(std::string_view name) {
    if (active) active->add(name);
  }
  /// From here on, time belongs to the gradient of this operation, or of none (""). Returns the one before.
  std::string_view differentiate(std::string_view operation) { return std::exchange(gradient_of_, operation); }

 private:
  using Clock = std::chrono::steady_clock;
  static inline constinit thread_local Profile* active = nullptr;
  Profile* outer_ = std::exchange(active, this);
  std::vector<Row> rows_;
  std::string_view gradient_of_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace xgrad
