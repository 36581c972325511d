#include <xgrad/core/communicator.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#ifdef XGRAD_HAS_MPI
#include <mpi.h>
#endif

namespace xgrad {

// What a process tells each other one before anything else happens.
struct Communicator::Header {
  char call[32];
  std::uint64_t size;          // of what it sends
  std::uint64_t failure_size;  // of the text that says what failed; 0 where nothing did
  std::uint64_t ended;         // it sends nothing any more
};

namespace {

// Adds neighbours until one group of numbers is left.
void add_as_tree(std::vector<double>& numbers, std::size_t width) {
  for (; numbers.size() > width; numbers.resize(numbers.size() / 2))
    for (std::size_t i = 0; i < numbers.size() / width / 2; ++i)
      for (std::size_t k = 0; k < width; ++k)
        numbers[i * width + k] = numbers[2 * i * width + k] + numbers[(2 * i + 1) * width + k];
}

std::string powers_of_two(std::size_t most) {
  std::string list = "1";
  for (std::size_t i = 2; i <= most; i *= 2) list += message(i == most ? " or " : ", ", i);
  return list;
}

#ifdef XGRAD_HAS_MPI

const MPI_Datatype scalar_type = sizeof(Scalar) == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE;

void check(int result, const char* call) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw ProcessError(message("[Communicator] ", call, ": MPI says ", printable(text)));
}

// MPI can be started once in a program, and ends with it.
struct Session {
  Session() {
    int started = 0, provided = 0;
    MPI_Initialized(&started);
    if (!started) check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    owner = !started;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &world), "MPI_Comm_dup");
    MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
  }
  ~Session() {
    if (owner) MPI_Finalize();
  }
  bool owner = false;
  MPI_Comm world{};  // apart from messages of the user's own
};

MPI_Comm world() {
  static const Session session;
  return session.world;
}

// False where the deadline, in seconds, came first.
bool wait_for(std::span<MPI_Request> requests, double deadline) {
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    int done = 0;
    check(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall");
    if (done) return true;
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > deadline) return false;
    std::this_thread::yield();  // there may be more processes than cores
  }
}

// MPI writes into memory that whoever called may free after an exception: there is no way on from here.
void wait_or_abort(MPI_Request request, double deadline) {
  if (wait_for({&request, 1}, deadline)) return;
  std::fprintf(stderr, "[Communicator] the processes stopped answering for %g s in the middle of a transfer\n",
               deadline);
  MPI_Abort(world(), EXIT_FAILURE);
}

int count_of(std::size_t elements) {
  if (elements > INT32_MAX)
    throw ProcessError(message("[Communicator] ", elements, " elements at once: MPI counts to ", INT32_MAX));
  return static_cast<int>(elements);
}

// Counts and places of parts that begin there.
std::pair<std::vector<int>, std::vector<int>> parts_of(std::span<const std::size_t> begins) {
  std::pair<std::vector<int>, std::vector<int>> result;
  for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
    result.first.push_back(count_of(begins[i + 1] - begins[i]));
    result.second.push_back(count_of(begins[i]));
  }
  return result;
}

#endif

}  // namespace

Communicator::Communicator(CommunicatorOptions options) : options_(options) {
  if (!std::has_single_bit(options.micro_batches))
    throw ValueError(
        message("[Communicator] micro_batches: expected 1, 2, 4, 8, … (powers of two), got ", options.micro_batches));
  if (!(options.deadline > 0 && std::isfinite(options.deadline)))
    throw ValueError(message("[Communicator] expected a deadline above 0 and finite, got ", options.deadline));
  if (launched_processes() > 1) {
#ifdef XGRAD_HAS_MPI
    int rank = 0, size = 0;
    check(MPI_Comm_rank(world(), &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(world(), &size), "MPI_Comm_size");
    rank_ = static_cast<std::size_t>(rank), size_ = static_cast<std::size_t>(size);
#else
    throw ProcessError("[Communicator] several processes were started, but this library was built without MPI");
#endif
  }
  headers_.resize(size_);
  require_same("library", message("xgrad ", XGRAD_VERSION, " with ", sizeof(Scalar) == 4 ? "float" : "double"));
  require_same("number of micro-batches", message(options.micro_batches));
  if (!std::has_single_bit(size_) || size_ > options.micro_batches)
    throw ValueError(message("[Communicator] ", size_, " processes for ", options.micro_batches,
                             " micro-batches: expected ", powers_of_two(options.micro_batches), " processes"));
}

Communicator::~Communicator() {
#ifdef XGRAD_HAS_MPI
  if (size_ == 1) return;
  if (lost_) MPI_Abort(world(), EXIT_FAILURE);
  try {
    meet("", 0, false);
  } catch (const std::exception&) {  // another one failed, and says so itself
  }
#endif
}

void Communicator::require_same(std::string_view what, std::string_view mine) {
  const std::vector<std::string> all = gather(mine);
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i] != all[0])
      throw ProcessError(message("process ", i, " has another ", what, " than process 0: ", printable(all[i], 2000),
                                 ", not ", printable(all[0], 2000)));
}

void Communicator::raise(std::string_view failure) {
  meet("raise", 0, false, failure);
  throw ProcessError(std::string(failure));  // there is no other process
}

std::vector<std::vector<double>> Communicator::gather(const std::vector<double>& mine) {
  std::vector<std::vector<double>> result;
  for (const std::string& bytes :
       gather(std::string_view(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(double)))) {
    std::vector<double>& numbers = result.emplace_back(bytes.size() / sizeof(double));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(numbers.data()));
  }
  return result;
}

std::vector<double> Communicator::sum(std::vector<double> numbers, std::size_t width) {
  if (numbers.size() != width * own_micro_batches())
    throw ValueError(message("[Communicator] sum: expected ", own_micro_batches(), " times ", width, " numbers, got ",
                             numbers.size()));
  if (width == 0) return {};
  add_as_tree(numbers, width);
  const std::vector<std::vector<double>> all = gather(numbers);
  numbers.clear();
  for (std::size_t i = 0; i < size_; ++i) {
    if (all[i].size() != width)
      throw ProcessError(message("[Communicator] sum: process ", i, " adds ", all[i].size(), " numbers, and process ",
                                 rank_, " ", width));
    numbers.insert(numbers.end(), all[i].begin(), all[i].end());
  }
  add_as_tree(numbers, width);
  return numbers;
}

#ifdef XGRAD_HAS_MPI

void Communicator::meet(std::string_view call, std::uint64_t size, bool same_size, std::string_view failure) {
  if (size_ == 1) return;
  if (lost_) throw ProcessError("[Communicator] other processes are out of reach since an earlier error");
  constexpr int tag = 1;
  Header& mine = headers_[rank_];
  mine = {.call = {}, .size = size, .failure_size = failure.size(), .ended = call.empty()};
  call.copy(mine.call, sizeof(mine.call) - 1);
  std::vector<MPI_Request> arrivals, departures;
  for (std::size_t i = 0; i < size_; ++i) {
    if (i == rank_) continue;
    const int other = static_cast<int>(i);
    check(MPI_Isend(&mine, sizeof(Header), MPI_BYTE, other, tag, world(), &departures.emplace_back()), "MPI_Isend");
    check(MPI_Irecv(&headers_[i], sizeof(Header), MPI_BYTE, other, tag, world(), &arrivals.emplace_back()),
          "MPI_Irecv");
  }
  if (!wait_for(arrivals, options_.deadline)) {
    lost_ = true;
    speaker_ = rank_;
    std::string missing;
    auto request = arrivals.begin();
    for (std::size_t i = 0; i < size_; ++i) {
      if (i == rank_) continue;
      int arrived = 0;
      check(MPI_Test(&*request++, &arrived, MPI_STATUS_IGNORE), "MPI_Test");
      if (arrived)
        speaker_ = std::min(speaker_, i);
      else
        missing += message(missing.empty() ? "" : ", ", i);
    }
    throw ProcessError(message("[Communicator] ", call.empty() ? "the end" : call, ": process ", missing,
                               " did not arrive within ", options_.deadline, " s"));
  }
  if (!wait_for(departures, options_.deadline)) {
    lost_ = true;
    throw ProcessError("[Communicator] the others did not take a message before the deadline");
  }
  judge(failure);
  for (std::size_t i = 1; same_size && i < size_; ++i)
    if (headers_[i].size != headers_[0].size)
      throw ProcessError(message("[Communicator] ", call, ": process ", i, " sends ", headers_[i].size,
                                 " elements, and process 0 ", headers_[0].size));
}

// Throws what all processes can see to be wrong.
void Communicator::judge(std::string_view failure) {
  std::vector<std::pair<std::size_t, std::string>> failures;
  for (std::size_t i = 0; i < size_; ++i) {
    if (headers_[i].failure_size == 0) continue;
    std::string text(i == rank_ ? failure : std::string_view());
    text.resize(headers_[i].failure_size);
    MPI_Request request{};
    check(MPI_Ibcast(text.data(), count_of(text.size()), MPI_CHAR, static_cast<int>(i), world(), &request),
          "MPI_Ibcast");
    wait_or_abort(request, options_.deadline);
    failures.emplace_back(i, std::move(text));
  }
  if (!failures.empty()) {
    const auto& [first, text] = failures.front();
    const bool of_all =
        failures.size() == size_ && std::all_of(failures.begin(), failures.end(),
                                                [&, &same = text](const auto& other) { return other.second == same; });
    throw ProcessError(of_all ? text : message("process ", first, ": ", text));
  }
  for (std::size_t i = 0; i < size_; ++i) {
    const Header& other = headers_[i];
    const auto differs = [&other](const Header& header) { return std::strcmp(header.call, other.call) != 0; };
    const auto different = std::find_if(headers_.begin(), headers_.end(), differs);
    if (different == headers_.end()) continue;
    const auto at = [](const Header& header) { return header.ended ? "has ended" : message("is at ", header.call); };
    lost_ = other.ended || different->ended;
    throw ProcessError(message("[Communicator] process ", i, " ", at(other), ", and process ",
                               different - headers_.begin(), " ", at(*different),
                               ": they do not run the same program"));
  }
}

std::vector<std::string> Communicator::gather(std::string_view mine) {
  if (size_ == 1) return {std::string(mine)};
  meet("gather", mine.size(), false);
  std::vector<std::size_t> begins = {0};
  for (const Header& header : headers_) begins.push_back(begins.back() + header.size);
  const auto [counts, places] = parts_of(begins);
  std::string all(begins.back(), '\0');
  MPI_Request request{};
  check(MPI_Iallgatherv(mine.data(), count_of(mine.size()), MPI_CHAR, all.data(), counts.data(), places.data(),
                        MPI_CHAR, world(), &request),
        "MPI_Iallgatherv");
  wait_or_abort(request, options_.deadline);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < size_; ++i) texts.push_back(all.substr(begins[i], begins[i + 1] - begins[i]));
  return texts;
}

void Communicator::exchange(std::span<const Scalar> elements, std::span<const std::size_t> begins,
                            std::span<Scalar> received) {
  if (size_ == 1) return;
  meet("exchange", elements.size(), true);
  auto [counts, places] = parts_of(begins);
  std::vector<int> counts_received, places_received;
  for (std::size_t i = 0, at = 0; i < size_; ++i) {
    counts_received.push_back(i == rank_ ? 0 : counts[rank_]);
    places_received.push_back(count_of(at));
    at += static_cast<std::size_t>(counts_received.back());
  }
  counts[rank_] = 0;
  MPI_Request request{};
  check(MPI_Ialltoallv(elements.data(), counts.data(), places.data(), scalar_type, received.data(),
                       counts_received.data(), places_received.data(), scalar_type, world(), &request),
        "MPI_Ialltoallv");
  wait_or_abort(request, options_.deadline);
}

void Communicator::gather(std::span<Scalar> elements, std::span<const std::size_t> begins) {
  if (size_ == 1) return;
  meet("gather of parts", elements.size(), true);
  const auto [counts, places] = parts_of(begins);
  MPI_Request request{};
  check(MPI_Iallgatherv(MPI_IN_PLACE, 0, scalar_type, elements.data(), counts.data(), places.data(), scalar_type,
                        world(), &request),
        "MPI_Iallgatherv");
  wait_or_abort(request, options_.deadline);
}

#else

void Communicator::meet(std::string_view, std::uint64_t, bool, std::string_view) {}
void Communicator::judge(std::string_view) {}
std::vector<std::string> Communicator::gather(std::string_view mine) { return {std::string(mine)}; }
void Communicator::exchange(std::span<const Scalar>, std::span<const std::size_t>, std::span<Scalar>) {}
void Communicator::gather(std::span<Scalar>, std::span<const std::size_t>) {}

#endif

}  // namespace xgrad
