#include "sys/netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>

#include "base/str.h"

#ifndef NLM_F_DUMP_INTR
#define NLM_F_DUMP_INTR 0x10
#endif

namespace minke::sys {

namespace {

constexpr std::size_t kReceiveMax = 64 << 10;
constexpr std::size_t kPlainSendMax = 128 << 10;  // below the default net.core.wmem_default
constexpr int kDumpTries = 8;

std::size_t aligned(std::size_t size) { return NLMSG_ALIGN(size); }

bool same_file(int a, int b) {
  struct stat one, other;
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
         one.st_dev == other.st_dev;
}

// The text that the kernel attaches to a refusal, if there is one.
std::string extended_text(const nlmsghdr* message) {
  if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t used = sizeof(nlmsghdr) + sizeof(nlmsgerr);
  const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(message));
  // Without NLM_F_CAPPED the request itself stands before the attributes.
  if ((message->nlmsg_flags & NLM_F_CAPPED) == 0)
    used += aligned(error->msg.nlmsg_len) - sizeof(nlmsghdr);
  if (used >= message->nlmsg_len) return {};
  return NetlinkAttributes({reinterpret_cast<const char*>(message), message->nlmsg_len}, used)
      .text(NLMSGERR_ATTR_MSG);
}

Error refusal(const nlmsghdr* message, int err, std::string_view what) {
  Error error = Error::from_errno(err, what);
  std::string text = extended_text(message);
  if (text.empty()) return error;
  return Error::from_errno(err, concat(what, ": ", text));
}

}  // namespace

Result<InNetns> InNetns::enter(int netns) {
  if (netns < 0) return InNetns(UniqueFd());
  UniqueFd own = TRY(sys::open("/proc/thread-self/ns/net", O_RDONLY));
  if (same_file(own.get(), netns)) return InNetns(UniqueFd());
  // Who has joined another user namespace may be unable to come back (EPERM): ask before the step.
  if (::setns(own.get(), CLONE_NEWNET) < 0)
    return Error::from_errno(errno, "enter network namespace: there is no way back");
  if (::setns(netns, CLONE_NEWNET) < 0) return Error::from_errno(errno, "enter network namespace");
  return InNetns(std::move(own));
}

InNetns::~InNetns() {
  if (own_) MINKE_CHECK(::setns(own_.get(), CLONE_NEWNET) == 0);
}

void NetlinkRequest::pad() { buffer_.resize(aligned(buffer_.size()), '\0'); }

NetlinkRequest& NetlinkRequest::start(std::uint16_t type, std::uint16_t flags) {
  messages_.push_back(buffer_.size());
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  header.nlmsg_len = sizeof header;
  return append(&header, sizeof header);
}

NetlinkRequest& NetlinkRequest::append(const void* data, std::size_t size) {
  buffer_.append(static_cast<const char*>(data), size);
  pad();
  return *this;
}

NetlinkRequest& NetlinkRequest::put(std::uint16_t attribute, std::string_view bytes) {
  MINKE_CHECK(bytes.size() <= 0xffff - NLA_HDRLEN);
  nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + bytes.size()), attribute};
  append(&header, sizeof header);
  return append(bytes.data(), bytes.size());
}

NetlinkRequest& NetlinkRequest::text(std::uint16_t attribute, std::string_view text) {
  return put(attribute, concat(text, '\0'));
}

NetlinkRequest& NetlinkRequest::u8(std::uint16_t attribute, std::uint8_t value) {
  return put(attribute, {reinterpret_cast<const char*>(&value), sizeof value});
}
NetlinkRequest& NetlinkRequest::u16(std::uint16_t attribute, std::uint16_t value) {
  return put(attribute, {reinterpret_cast<const char*>(&value), sizeof value});
}
NetlinkRequest& NetlinkRequest::u32(std::uint16_t attribute, std::uint32_t value) {
  return put(attribute, {reinterpret_cast<const char*>(&value), sizeof value});
}
NetlinkRequest& NetlinkRequest::be16(std::uint16_t attribute, std::uint16_t value) {
  return u16(attribute, htons(value));
}
NetlinkRequest& NetlinkRequest::be32(std::uint16_t attribute, std::uint32_t value) {
  return u32(attribute, htonl(value));
}
NetlinkRequest& NetlinkRequest::be64(std::uint16_t attribute, std::uint64_t value) {
  std::uint32_t halves[2] = {htonl(static_cast<std::uint32_t>(value >> 32)),
                             htonl(static_cast<std::uint32_t>(value))};
  return put(attribute, {reinterpret_cast<const char*>(halves), sizeof halves});
}

std::size_t NetlinkRequest::open(std::uint16_t attribute) {
  std::size_t at = buffer_.size();
  nlattr header{0, static_cast<std::uint16_t>(attribute | NLA_F_NESTED)};
  append(&header, sizeof header);
  return at;
}

void NetlinkRequest::close(std::size_t at) {
  std::size_t size = buffer_.size() - at;
  MINKE_CHECK(size <= 0xffff);
  std::uint16_t length = static_cast<std::uint16_t>(size);
  std::memcpy(buffer_.data() + at, &length, sizeof length);
}

void NetlinkRequest::add_flags(std::uint16_t flags) {
  std::size_t at = messages_.back() + offsetof(nlmsghdr, nlmsg_flags);
  std::uint16_t now = 0;
  std::memcpy(&now, buffer_.data() + at, sizeof now);
  now = static_cast<std::uint16_t>(now | flags);
  std::memcpy(buffer_.data() + at, &now, sizeof now);
}

std::optional<std::pair<std::uint16_t, std::string_view>> NetlinkAttributes::next(
    std::string_view* rest) {
  nlattr header;
  if (rest->size() < sizeof header) return std::nullopt;
  std::memcpy(&header, rest->data(), sizeof header);
  if (header.nla_len < sizeof header || header.nla_len > rest->size()) return std::nullopt;
  auto value = rest->substr(sizeof header, header.nla_len - sizeof header);
  rest->remove_prefix(std::min(rest->size(), aligned(header.nla_len)));
  return std::pair(static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), value);
}

std::optional<std::string_view> NetlinkAttributes::find(std::uint16_t attribute) const {
  std::optional<std::string_view> found;
  each([&](std::uint16_t type, std::string_view bytes) {
    if (type == attribute) found = bytes;
  });
  return found;
}

NetlinkAttributes NetlinkAttributes::nested(std::uint16_t attribute) const {
  return NetlinkAttributes(find(attribute).value_or(std::string_view()));
}

std::string NetlinkAttributes::text(std::uint16_t attribute) const {
  auto bytes = find(attribute).value_or(std::string_view());
  return std::string(bytes.substr(0, bytes.find('\0')));
}

std::optional<std::uint32_t> NetlinkAttributes::u32(std::uint16_t attribute) const {
  auto bytes = find(attribute);
  std::uint32_t value = 0;
  if (!bytes || bytes->size() < sizeof value) return std::nullopt;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

std::optional<std::uint32_t> NetlinkAttributes::be32(std::uint16_t attribute) const {
  auto value = u32(attribute);
  if (value) value = ntohl(*value);
  return value;
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol, int netns) {
  UniqueFd fd;
  {
    InNetns there = TRY(InNetns::enter(netns));
    fd = UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  }
  if (!fd) return Error::from_errno(errno, "netlink socket");
  int on = 1;
  // Kernels that know neither give errors without words, or with the request repeated.
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // Filters in the request of a dump count (Linux 4.20).
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  return NetlinkSocket(std::move(fd), protocol);
}

Status NetlinkSocket::join_group(unsigned group, std::string_view what) {
  // Without an address of its own (number 0) the socket is left out wherever nobody is left out.
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) < 0)
    return Error::from_errno(errno, what);
  if (::setsockopt(fd_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
    return Error::from_errno(errno, what);
  return {};
}

Status NetlinkSocket::send(NetlinkRequest& request, std::string_view what) {
  auto& buffer = request.buffer_;
  for (std::size_t i = 0; i < request.messages_.size(); ++i) {
    std::size_t begin = request.messages_[i];
    std::size_t end = i + 1 < request.messages_.size() ? request.messages_[i + 1] : buffer.size();
    nlmsghdr header;
    std::memcpy(&header, buffer.data() + begin, sizeof header);
    header.nlmsg_len = static_cast<std::uint32_t>(end - begin);
    header.nlmsg_seq = sequence_++;
    std::memcpy(buffer.data() + begin, &header, sizeof header);
  }
  if (buffer.size() > kPlainSendMax) {
    int size = static_cast<int>(buffer.size() * 2);
    // The forced one needs CAP_NET_ADMIN of the first namespace.
    if (::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  ssize_t sent;
  do sent = ::send(fd_.get(), buffer.data(), buffer.size(), 0);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return Error::from_errno(errno, what);
  return {};
}

// One datagram of whole messages; valid until the next call.
Result<std::string_view> NetlinkSocket::receive(std::string_view what) {
  if (buffer_.empty()) buffer_.resize(kReceiveMax);
  ssize_t size;
  do size = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
  while (size < 0 && errno == EINTR);
  if (size < 0) return Error::from_errno(errno, what);
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(size));
}

namespace {

// Visits the messages of a datagram until `visit` returns true; then true.
template <typename Visit>
bool each_message(std::string_view datagram, Visit visit) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > datagram.size()) break;
    if (visit(message)) return true;
    datagram.remove_prefix(std::min(datagram.size(), aligned(message->nlmsg_len)));
  }
  return false;
}

NetlinkAnswer answer_of(const nlmsghdr* message) {
  return {message->nlmsg_type, std::string(static_cast<const char*>(NLMSG_DATA(message)),
                                           message->nlmsg_len - sizeof(nlmsghdr))};
}

int error_number(const nlmsghdr* message) {
  if (message->nlmsg_len < sizeof(nlmsghdr) + sizeof(int)) return EPROTO;
  int number = 0;
  std::memcpy(&number, NLMSG_DATA(message), sizeof number);
  return -number;
}

}  // namespace

Status NetlinkSocket::run(NetlinkRequest& request, std::string_view what, std::size_t* failed,
                          const std::vector<std::string>* steps) {
  if (request.empty()) return {};
  if (steps) what = steps->front();
  std::uint32_t first = sequence_;
  const auto* header = reinterpret_cast<const nlmsghdr*>(request.buffer_.data());
  // In a batch the last message before its end is asked for; a refusal of the batch as a whole (no
  // right to it, a module that is not there) answers its begin alone.
  bool batch = protocol_ == NETLINK_NETFILTER && header->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
  std::uint32_t last =
      first + static_cast<std::uint32_t>(request.count()) - 1 - (batch && request.count() > 2);
  if (!batch) request.add_flags(NLM_F_ACK);
  TRY(send(request, what));
  std::optional<Error> error;
  std::uint32_t error_at = 0;
  for (bool done = false; !done;) {
    std::string_view datagram = TRY(receive(what));
    done = each_message(datagram, [&](const nlmsghdr* message) {
      std::uint32_t at = message->nlmsg_seq - first;
      if (message->nlmsg_type != NLMSG_ERROR || at >= request.count()) return false;  // an old one
      int err = error_number(message);
      if (err != 0 && (!error || at < error_at)) {
        error.emplace(refusal(message, err, steps ? (*steps)[at] : what));
        error_at = at;
      }
      return message->nlmsg_seq == last || (batch && at == 0 && err != 0);
    });
  }
  if (!error) return {};
  if (failed) *failed = error_at;
  return std::move(*error);
}

Result<NetlinkAnswer> NetlinkSocket::ask(NetlinkRequest& request, std::string_view what) {
  std::uint32_t first = sequence_;
  TRY(send(request, what));
  std::optional<Error> error;
  NetlinkAnswer answer;
  for (bool done = false; !done;) {
    std::string_view datagram = TRY(receive(what));
    done = each_message(datagram, [&](const nlmsghdr* message) {
      if (message->nlmsg_seq != first) return false;
      if (message->nlmsg_type == NLMSG_ERROR) {
        int err = error_number(message);
        error.emplace(refusal(message, err != 0 ? err : ENODATA, what));
        return true;
      }
      answer = answer_of(message);
      return true;
    });
  }
  if (error) return std::move(*error);
  return answer;
}

Status NetlinkSocket::ask_all(NetlinkRequest& request, std::string_view what,
                              std::vector<NetlinkAnswer>* answers) {
  request.add_flags(NLM_F_ACK);
  std::uint32_t first = sequence_;
  TRY(send(request, what));
  std::optional<Error> error;
  for (bool done = false; !done;) {
    std::string_view datagram = TRY(receive(what));
    done = each_message(datagram, [&](const nlmsghdr* message) {
      if (message->nlmsg_seq != first) return false;
      if (message->nlmsg_type == NLMSG_ERROR) {
        if (int err = error_number(message); err != 0) error.emplace(refusal(message, err, what));
        return true;
      }
      answers->push_back(answer_of(message));
      return false;
    });
  }
  if (error) return std::move(*error);
  return {};
}

Result<std::vector<NetlinkAnswer>> NetlinkSocket::dump(NetlinkRequest& request,
                                                       std::string_view what) {
  request.add_flags(NLM_F_DUMP);
  for (int tries = 0; tries < kDumpTries; ++tries) {
    std::uint32_t first = sequence_;
    TRY(send(request, what));
    std::optional<Error> error;
    std::vector<NetlinkAnswer> answers;
    bool torn = false;
    for (bool done = false; !done;) {
      std::string_view datagram = TRY(receive(what));
      done = each_message(datagram, [&](const nlmsghdr* message) {
        if (message->nlmsg_seq != first) return false;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR) torn = true;
        if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
          if (int err = error_number(message); err > 0) error.emplace(refusal(message, err, what));
          return true;
        }
        answers.push_back(
            {message->nlmsg_type, std::string(static_cast<const char*>(NLMSG_DATA(message)),
                                              message->nlmsg_len - sizeof(nlmsghdr))});
        return false;
      });
    }
    if (error) return std::move(*error);
    if (!torn) return answers;
  }
  return Error(Errc::unavailable, concat(what, ": the list changes faster than it can be read"));
}

}  // namespace minke::sys
