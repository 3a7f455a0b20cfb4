// Netlink (rtnetlink, nf_tables, conntrack): requests built in one buffer, answers checked, errors
// with the kernel's own words. A socket belongs to the network namespace in which it was made, so
// one process can speak to several.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace minke::sys {

// While it lives the calling thread is in the network namespace `netns`; -1, or its own, changes
// nothing. An error (EPERM) for a thread that could not come back: one that has joined another user
// namespace than that of its own network namespace.
class InNetns {
 public:
  static Result<InNetns> enter(int netns);
  InNetns(InNetns&& o) noexcept = default;
  InNetns& operator=(InNetns&&) = delete;
  ~InNetns();

 private:
  explicit InNetns(UniqueFd own) : own_(std::move(own)) {}
  UniqueFd own_;  // none: nothing was changed
};

// One or several messages that go to the kernel in one sendmsg(2).
class NetlinkRequest {
 public:
  // Starts a message; `flags` are added to NLM_F_REQUEST. `header` is the family's fixed part.
  template <typename Header>
  NetlinkRequest& begin(std::uint16_t type, std::uint16_t flags, const Header& header) {
    start(type, flags);
    return append(&header, sizeof header);
  }
  NetlinkRequest& start(std::uint16_t type, std::uint16_t flags);
  NetlinkRequest& append(const void* data, std::size_t size);  // padded to four bytes

  NetlinkRequest& put(std::uint16_t attribute, std::string_view bytes);
  NetlinkRequest& text(std::uint16_t attribute, std::string_view text);  // with the NUL
  NetlinkRequest& flag(std::uint16_t attribute) { return put(attribute, {}); }
  NetlinkRequest& u8(std::uint16_t attribute, std::uint8_t value);
  NetlinkRequest& u16(std::uint16_t attribute, std::uint16_t value);
  NetlinkRequest& u32(std::uint16_t attribute, std::uint32_t value);
  NetlinkRequest& be16(std::uint16_t attribute, std::uint16_t value);
  NetlinkRequest& be32(std::uint16_t attribute, std::uint32_t value);
  NetlinkRequest& be64(std::uint16_t attribute, std::uint64_t value);
  // What `fill` puts in goes inside. At most 64 KiB: the kernel's lengths have 16 bits.
  template <typename Fill>
  NetlinkRequest& nest(std::uint16_t attribute, Fill fill) {
    std::size_t at = open(attribute);
    fill();
    close(at);
    return *this;
  }

  bool empty() const { return messages_.empty(); }
  std::size_t count() const { return messages_.size(); }
  std::size_t size() const { return buffer_.size(); }
  // What was put in so far: a request without a message is a list of attributes.
  std::string_view bytes() const { return buffer_; }
  // Adds flags to the latest message.
  void add_flags(std::uint16_t flags);

 private:
  friend class NetlinkSocket;
  std::size_t open(std::uint16_t attribute);
  void close(std::size_t at);
  void pad();

  std::string buffer_;
  std::vector<std::size_t> messages_;  // where each begins
};

struct NetlinkAnswer {
  std::uint16_t type = 0;
  std::string payload;  // after nlmsghdr
};

// The attributes of a message or a nest, looked up by a walk; a later one of the same type wins.
class NetlinkAttributes {
 public:
  NetlinkAttributes() = default;
  // `skip`: the size of the family's fixed part.
  explicit NetlinkAttributes(std::string_view bytes, std::size_t skip = 0)
      : bytes_(skip < bytes.size() ? bytes.substr(skip) : std::string_view()) {}
  std::optional<std::string_view> find(std::uint16_t attribute) const;
  NetlinkAttributes nested(std::uint16_t attribute) const;
  std::string text(std::uint16_t attribute) const;  // without the NUL; empty when absent
  std::optional<std::uint32_t> u32(std::uint16_t attribute) const;
  std::optional<std::uint32_t> be32(std::uint16_t attribute) const;
  // Calls visit(type, bytes) for each.
  template <typename Visit>
  void each(Visit visit) const {
    std::string_view rest = bytes_;
    while (auto attribute = next(&rest)) visit(attribute->first, attribute->second);
  }

 private:
  static std::optional<std::pair<std::uint16_t, std::string_view>> next(std::string_view* rest);
  std::string_view bytes_;
};

class NetlinkSocket {
 public:
  NetlinkSocket() = default;
  // `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER. `netns`: a descriptor, or -1 for the caller's
  // own.
  static Result<NetlinkSocket> open(int protocol, int netns = -1);

  // Sends all messages at once and waits for the answer to the one that asks for it (the last one,
  // or the one before a batch's end). rtnetlink goes on after a message that failed, a batch of
  // nf_tables is all or nothing; in either case the error is that of the first failed message:
  // "WHAT: the kernel's own words: reason", and `*failed` is its number.
  // `steps`: what stands for WHAT, a text for each message.
  Status run(NetlinkRequest& request, std::string_view what, std::size_t* failed = nullptr,
             const std::vector<std::string>* steps = nullptr);
  // One message, one answer.
  Result<NetlinkAnswer> ask(NetlinkRequest& request, std::string_view what);
  // One message, any number of answers; those that came before a failure stay in `answers`.
  Status ask_all(NetlinkRequest& request, std::string_view what,
                 std::vector<NetlinkAnswer>* answers);
  // One message, all answers; begun anew when the kernel says that the list changed meanwhile.
  Result<std::vector<NetlinkAnswer>> dump(NetlinkRequest& request, std::string_view what);

  Status join_group(unsigned group, std::string_view what);
  int fd() const { return fd_.get(); }

 private:
  NetlinkSocket(UniqueFd fd, int protocol) : fd_(std::move(fd)), protocol_(protocol) {}
  Status send(NetlinkRequest& request, std::string_view what);
  Result<std::string_view> receive(std::string_view what);

  UniqueFd fd_;
  int protocol_ = -1;
  std::uint32_t sequence_ = 1;
  std::string buffer_;
};

}  // namespace minke::sys
