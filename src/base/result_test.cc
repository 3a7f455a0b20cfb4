#include "base/result.h"

#include <cerrno>

namespace minke {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error(Errc::invalid_argument, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  int h = TRY(half(n));
  return TRY_CTX(half(h), "second half");
}

TEST(Result, TryPassesValuesAndErrors) {
  auto four = quarter(16);
  ASSERT_TRUE(four);
  EXPECT_EQ(*four, 4);
  EXPECT_EQ(quarter(3).error().message(), "odd");
  EXPECT_EQ(quarter(6).error().message(), "second half: odd");
}

TEST(Result, ErrnoNamesReasonAndCode) {
  Error error = Error::from_errno(ENOENT, "open x");
  EXPECT_EQ(error.message(), "open x: No such file or directory");
  EXPECT_EQ(error.code(), Errc::not_found);
  EXPECT_EQ(error.sys(), ENOENT);
  EXPECT_EQ(Error::from_errno(ENOSPC, "write").code(), Errc::io);
}

TEST(Result, EveryCodeHasANameAndAStatus) {
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    EXPECT_STRNE(errc_name(static_cast<Errc>(i)), "");
    EXPECT_GE(errc_http_status(static_cast<Errc>(i)), 400);
  }
}

TEST(ErrorList, KeepsAllAndTheFirstCode) {
  ErrorList errors;
  EXPECT_TRUE(errors.empty());
  errors.add(Error(Errc::in_use, "a").with_exit(2));
  errors.add(Status());
  errors.add(Error(Errc::io, "b"));
  Status all = std::move(errors).to_status();
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().message(), "a\nb");
  EXPECT_EQ(all.error().code(), Errc::in_use);
  EXPECT_EQ(all.error().exit_code(), 2);
}

TEST(Rollback, RunsBackwardsUnlessDismissed) {
  std::string order;
  {
    Rollback undo;
    undo.add([&order] { order += "1"; });
    undo.add([&order] { order += "2"; });
  }
  EXPECT_EQ(order, "21");
  {
    Rollback undo;
    undo.add([&order] { order += "3"; });
    undo.dismiss();
  }
  EXPECT_EQ(order, "21");
}

}  // namespace
}  // namespace minke
