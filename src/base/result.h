// Values or failures. A function that can fail returns Result<T> (or Status) and never logs or
// prints: only the CLI's main and the API's response writer report. GCC 12 has no std::expected.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace minke {

// What a caller can do about a failure. One table (base/result.cc) maps it to exit codes and HTTP
// status.
enum class Errc : std::uint8_t {
  invalid_argument,
  not_found,
  already_exists,
  conflict,
  in_use,
  permission,
  unsupported,
  unavailable,
  timeout,
  corrupt,
  io,
  internal,
};

const char* errc_name(Errc code);
int errc_http_status(Errc code);

// One owning pointer to a code for programs, the errno if any, and a sentence for people.
class [[nodiscard]] Error {
 public:
  Error(Errc code, std::string message) : rep_(new Rep{code, 0, 0, std::move(message)}) {}
  Error(const Error& o) : rep_(new Rep(*o.rep_)) {}
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;

  // "what: reason of errno", with the code that the errno stands for.
  static Error from_errno(int err, std::string_view what);

  Errc code() const { return rep_->code; }
  int sys() const { return rep_->sys; }  // the errno, or 0
  // The process exit code when it is not the default for `code()` (126 and 127 of run and exec),
  // else 0.
  int exit_code() const { return rep_->exit; }
  const std::string& message() const { return rep_->message; }

  Error&& wrap(std::string_view what) && {  // "what: message"
    rep_->message.insert(0, ": ").insert(0, what);
    return std::move(*this);
  }
  Error&& as(Errc code) && {
    rep_->code = code;
    return std::move(*this);
  }
  Error&& with_exit(int exit_code) && {
    rep_->exit = exit_code;
    return std::move(*this);
  }

 private:
  template <typename T>
  friend class Result;
  Error() = default;  // of a result that is a value
  struct Rep {
    Errc code;
    int sys;
    int exit;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

namespace detail {
[[noreturn]] void check_failed(const char* what, const char* file, int line);
}
// A broken invariant of our own: aborts with file and line. Never for input.
#define MINKE_CHECK(cond) \
  ((cond) ? (void)0 : ::minke::detail::check_failed(#cond, __FILE__, __LINE__))

template <typename T = void>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) { new (&value_) T(std::move(value)); }  // NOLINT: implicit on purpose
  template <typename U>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value) {  // NOLINT
    new (&value_) T(std::forward<U>(value));
  }
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT
  Result(Result&& o) noexcept : error_(std::move(o.error_)), ok_(o.ok_) {
    if (ok_) new (&value_) T(std::move(o.value_));
  }
  Result& operator=(Result&& o) noexcept {
    if (this != &o) {
      this->~Result();
      new (this) Result(std::move(o));
    }
    return *this;
  }
  ~Result() {
    if (ok_) value_.~T();
  }

  explicit operator bool() const { return ok_; }
  bool ok() const { return ok_; }
  T& operator*() & { return value_; }
  const T& operator*() const& { return value_; }
  T&& operator*() && { return std::move(value_); }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  Error& error() {
    MINKE_CHECK(!ok_);
    return error_;
  }
  T value_or(T other) && { return ok_ ? std::move(value_) : std::move(other); }

 private:
  Error error_;
  bool ok_ = true;
  union {
    T value_;
  };
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit on purpose
  explicit operator bool() const { return ok_; }
  bool ok() const { return ok_; }
  void operator*() const {}
  Error& error() {
    MINKE_CHECK(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};
using Status = Result<void>;

// The value of `expr`, or return its error from the enclosing function. Only as a whole right-hand
// side or a whole statement: inside a braced list or call arguments GCC 12 leaks the temporaries
// beside it.
#define TRY(expr)                            \
  __extension__({                            \
    auto&& try_result_ = (expr);             \
    if (!try_result_) [[unlikely]]           \
      return std::move(try_result_.error()); \
    *std::move(try_result_);                 \
  })

// The same with "what: " in front of the message; `what` is evaluated only on failure.
#define TRY_CTX(expr, what)                             \
  __extension__({                                       \
    auto&& try_result_ = (expr);                        \
    if (!try_result_) [[unlikely]]                      \
      return std::move(try_result_.error()).wrap(what); \
    *std::move(try_result_);                            \
  })

// Says that a failure is not interesting, and why.
template <typename T>
void ignore(const Result<T>&, const char* /*why*/) {}

// Failures of a teardown: a failed first step never keeps the second from running.
class ErrorList {
 public:
  void add(Error error) { errors_.push_back(std::move(error)); }
  template <typename T>
  void add(Result<T>&& result) {
    if (!result) errors_.push_back(std::move(result.error()));
  }
  bool empty() const { return errors_.empty(); }
  const std::vector<Error>& errors() const { return errors_; }
  // Success when empty; else the first code with all messages, one to a line.
  Status to_status() &&;

 private:
  std::vector<Error> errors_;
};

// Undo steps that run backwards on destruction unless dismissed: covers the failure path while
// things that outlive the process (directories, cgroups, mounts) are being made. A step that refers
// to a local wants one that is declared before the Rollback: what comes after it has gone by then.
class Rollback {
 public:
  Rollback() = default;
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    for (auto it = steps_.rbegin(); it != steps_.rend(); ++it) (*it)->run();
  }
  template <typename F>
  void add(F undo) {
    steps_.push_back(std::make_unique<StepOf<F>>(std::move(undo)));
  }
  void dismiss() { steps_.clear(); }

 private:
  struct Step {
    virtual ~Step() = default;
    virtual void run() = 0;
  };
  template <typename F>
  struct StepOf final : Step {
    explicit StepOf(F f) : undo(std::move(f)) {}
    void run() override { undo(); }
    F undo;
  };
  std::vector<std::unique_ptr<Step>> steps_;
};

}  // namespace minke
