#include "net/nft.h"

#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "base/str.h"

namespace minke::net::nft {

namespace {

constexpr std::uint16_t kTables = NFNL_SUBSYS_NFTABLES << 8;
constexpr std::size_t kElementsPerMessage = 400;  // a nest holds 64 KiB
constexpr std::size_t kElementsPerQuestion = 64;  // the answers wait in the socket's buffer
// libnftnl's tag of a rule's comment within its user data.
constexpr char kCommentTag = 0;
// Its tag of the byte order of a set's keys, and the one that is not the network's.
constexpr char kByteOrderTag = 0;
constexpr std::uint32_t kHostByteOrder = 1;

nfgenmsg header(std::uint8_t family) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  return header;
}

std::uint32_t reg(Register r) { return NFT_REG32_00 + r.number; }

void put_value(sys::NetlinkRequest& to, std::uint16_t attribute, std::string_view bytes) {
  to.nest(attribute, [&] { to.put(NFTA_DATA_VALUE, bytes); });
}

std::size_t type_size(Type type) {
  switch (type) {
    case Type::ipv4_addr:
      return 4;
    case Type::ipv6_addr:
      return 16;
    case Type::inet_proto:
      return 4;  // one and two bytes, each in a register of its own
    case Type::inet_service:
      return 4;
    case Type::ifname:
      return IFNAMSIZ;
  }
  return 0;
}

// Alone a field has its own size, in a concatenation it is padded.
std::uint32_t fields_size(const std::vector<Type>& types) {
  if (types.size() == 1 && types[0] == Type::inet_service) return 2;
  if (types.size() == 1 && types[0] == Type::inet_proto) return 1;
  std::size_t size = 0;
  for (Type type : types) size += type_size(type);
  return static_cast<std::uint32_t>(size);
}

std::uint32_t fields_number(const std::vector<Type>& types) {
  std::uint32_t number = 0;
  for (Type type : types) number = number << 6 | static_cast<std::uint32_t>(type);
  return number;
}

void put_elements(sys::NetlinkRequest& request, const Element* first, std::size_t count) {
  request.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
    for (std::size_t i = 0; i < count; ++i) {
      request.nest(NFTA_LIST_ELEM, [&] {
        put_value(request, NFTA_SET_ELEM_KEY, first[i].key);
        if (!first[i].data.empty()) put_value(request, NFTA_SET_ELEM_DATA, first[i].data);
        if (first[i].interval_end) request.be32(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
      });
    }
  });
}

std::string value_of(const sys::NetlinkAttributes& element, std::uint16_t attribute) {
  return std::string(element.nested(attribute).find(NFTA_DATA_VALUE).value_or(std::string_view()));
}

void take_elements(const sys::NetlinkAnswer& answer, std::vector<Element>* out) {
  sys::NetlinkAttributes(answer.payload, sizeof(nfgenmsg))
      .nested(NFTA_SET_ELEM_LIST_ELEMENTS)
      .each([&](std::uint16_t, std::string_view bytes) {
        sys::NetlinkAttributes element(bytes);
        out->push_back(
            {value_of(element, NFTA_SET_ELEM_KEY), value_of(element, NFTA_SET_ELEM_DATA),
             (element.be32(NFTA_SET_ELEM_FLAGS).value_or(0) & NFT_SET_ELEM_INTERVAL_END) != 0});
      });
}

}  // namespace

std::string u32_bytes(std::uint32_t host_order) {
  return {reinterpret_cast<const char*>(&host_order), sizeof host_order};
}

Fields& Fields::add(const void* data, std::size_t size) {
  bytes_.append(static_cast<const char*>(data), size);
  bytes_.resize((bytes_.size() + 3) & ~std::size_t{3}, '\0');
  return *this;
}
Fields& Fields::address(const IpAddress& address) {
  return add(address.bytes.data(), address.size());
}
Fields& Fields::service(std::uint16_t port) {
  std::uint16_t number = htons(port);
  return add(&number, sizeof number);
}
Fields& Fields::protocol(std::uint8_t number) { return add(&number, sizeof number); }
Fields& Fields::ifname(std::string_view name) {
  char field[IFNAMSIZ] = {};
  std::memcpy(field, name.data(), std::min(name.size(), sizeof field - 1));
  return add(field, sizeof field);
}

std::vector<Element> prefix_elements(const IpPrefix& prefix) {
  std::vector<Element> out{{Fields().address(prefix.network()).bytes(), {}, false}};
  IpAddress behind = prefix.last().next();
  if (!behind.is_unspecified())  // else the interval goes to the family's end
    out.push_back({Fields().address(behind).bytes(), {}, true});
  return out;
}

template <typename Fill>
Rule& Rule::expression(std::string_view name, Fill fill) {
  list_.nest(NFTA_LIST_ELEM, [&] {
    list_.text(NFTA_EXPR_NAME, name);
    list_.nest(NFTA_EXPR_DATA, fill);
  });
  return *this;
}

Rule& Rule::load_meta(std::uint32_t key, Register to) {
  return expression("meta", [&] { list_.be32(NFTA_META_KEY, key).be32(NFTA_META_DREG, reg(to)); });
}
Rule& Rule::load_ct(std::uint32_t key, Register to) {
  return expression("ct", [&] { list_.be32(NFTA_CT_KEY, key).be32(NFTA_CT_DREG, reg(to)); });
}
Rule& Rule::load_payload(std::uint32_t base, std::uint32_t offset, std::uint32_t size,
                         Register to) {
  return expression("payload", [&] {
    list_.be32(NFTA_PAYLOAD_DREG, reg(to)).be32(NFTA_PAYLOAD_BASE, base);
    list_.be32(NFTA_PAYLOAD_OFFSET, offset).be32(NFTA_PAYLOAD_LEN, size);
  });
}
Rule& Rule::load_socket(std::uint32_t key, Register to) {
  return expression("socket",
                    [&] { list_.be32(NFTA_SOCKET_KEY, key).be32(NFTA_SOCKET_DREG, reg(to)); });
}
Rule& Rule::load_destination_type(Register to) {
  return expression("fib", [&] {
    list_.be32(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
    list_.be32(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE).be32(NFTA_FIB_DREG, reg(to));
  });
}
Rule& Rule::load_value(std::string_view bytes, Register to) {
  return expression("immediate", [&] {
    list_.be32(NFTA_IMMEDIATE_DREG, reg(to));
    put_value(list_, NFTA_IMMEDIATE_DATA, bytes);
  });
}
Rule& Rule::bitwise(std::string_view mask, std::string_view flip, Register at) {
  return expression("bitwise", [&] {
    list_.be32(NFTA_BITWISE_SREG, reg(at)).be32(NFTA_BITWISE_DREG, reg(at));
    list_.be32(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
    put_value(list_, NFTA_BITWISE_MASK, mask);
    put_value(list_, NFTA_BITWISE_XOR, flip);
  });
}
Rule& Rule::cmp(std::uint32_t op, std::string_view bytes, Register of) {
  return expression("cmp", [&] {
    list_.be32(NFTA_CMP_SREG, reg(of)).be32(NFTA_CMP_OP, op);
    put_value(list_, NFTA_CMP_DATA, bytes);
  });
}
Rule& Rule::lookup(std::string_view set, bool inverted, Register key) {
  return expression("lookup", [&] {
    list_.text(NFTA_LOOKUP_SET, set).be32(NFTA_LOOKUP_SREG, reg(key));
    if (inverted) list_.be32(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  });
}
Rule& Rule::lookup_data(std::string_view map, Register key, Register to) {
  return expression("lookup", [&] {
    list_.text(NFTA_LOOKUP_SET, map).be32(NFTA_LOOKUP_SREG, reg(key));
    list_.be32(NFTA_LOOKUP_DREG, reg(to));
  });
}
Rule& Rule::set_mark(Register from) {
  return expression(
      "meta", [&] { list_.be32(NFTA_META_KEY, NFT_META_MARK).be32(NFTA_META_SREG, reg(from)); });
}
Rule& Rule::set_connection_mark(Register from) {
  return expression("ct",
                    [&] { list_.be32(NFTA_CT_KEY, NFT_CT_MARK).be32(NFTA_CT_SREG, reg(from)); });
}
Rule& Rule::dnat(bool v6, Register address, Register port) {
  return expression("nat", [&] {
    list_.be32(NFTA_NAT_TYPE, NFT_NAT_DNAT).be32(NFTA_NAT_FAMILY, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
    list_.be32(NFTA_NAT_REG_ADDR_MIN, reg(address)).be32(NFTA_NAT_REG_PROTO_MIN, reg(port));
    list_.be32(NFTA_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
  });
}
Rule& Rule::masquerade() {
  return expression("masq", [] {});
}
Rule& Rule::reject(std::uint32_t type, std::uint8_t code) {
  return expression("reject", [&] {
    list_.be32(NFTA_REJECT_TYPE, type);
    if (type != NFT_REJECT_TCP_RST) list_.u8(NFTA_REJECT_ICMP_CODE, code);
  });
}
Rule& Rule::queue(std::uint16_t number) {
  return expression("queue", [&] {
    list_.be16(NFTA_QUEUE_NUM, number).be16(NFTA_QUEUE_TOTAL, 1);
    list_.be16(NFTA_QUEUE_FLAGS, NFT_QUEUE_FLAG_BYPASS);
  });
}
Rule& Rule::xtables_target(std::string_view name, std::uint32_t revision, std::string_view info) {
  return expression("target", [&] {
    list_.text(NFTA_TARGET_NAME, name).be32(NFTA_TARGET_REV, revision);
    list_.put(NFTA_TARGET_INFO, info);
  });
}
Rule& Rule::tproxy(bool v6, Register address, Register port) {
  return expression("tproxy", [&] {
    list_.be32(NFTA_TPROXY_FAMILY, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
    list_.be32(NFTA_TPROXY_REG_ADDR, reg(address)).be32(NFTA_TPROXY_REG_PORT, reg(port));
  });
}
Rule& Rule::verdict(std::int32_t code, std::string_view chain) {
  return expression("immediate", [&] {
    list_.be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    list_.nest(NFTA_IMMEDIATE_DATA, [&] {
      list_.nest(NFTA_DATA_VERDICT, [&] {
        list_.be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
        if (!chain.empty()) list_.text(NFTA_VERDICT_CHAIN, chain);
      });
    });
  });
}
Rule& Rule::counter() {
  return expression("counter", [] {});
}

Rule& Rule::iifname(std::string_view set, bool inverted) {
  return load_meta(NFT_META_IIFNAME).lookup(set, inverted);
}
Rule& Rule::oifname(std::string_view set, bool inverted) {
  return load_meta(NFT_META_OIFNAME).lookup(set, inverted);
}
Rule& Rule::family(bool v6) {
  char number = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
  return load_meta(NFT_META_NFPROTO).cmp(NFT_CMP_EQ, {&number, 1});
}
Rule& Rule::l4proto(std::uint8_t number) {
  return load_meta(NFT_META_L4PROTO).cmp(NFT_CMP_EQ, {reinterpret_cast<const char*>(&number), 1});
}
Rule& Rule::masked_u32(std::uint32_t mask, std::uint32_t value, bool equal) {
  return bitwise(u32_bytes(mask), u32_bytes(0))
      .cmp(equal ? NFT_CMP_EQ : NFT_CMP_NEQ, u32_bytes(value));
}
Rule& Rule::source(bool v6, Register to) {
  return load_payload(NFT_PAYLOAD_NETWORK_HEADER, v6 ? 8 : 12, v6 ? 16 : 4, to);
}
Rule& Rule::destination(bool v6, Register to) {
  return load_payload(NFT_PAYLOAD_NETWORK_HEADER, v6 ? 24 : 16, v6 ? 16 : 4, to);
}
Rule& Rule::destination_port(Register to) {
  return load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, to);
}

Transaction::Transaction(std::uint8_t family, std::string table)
    : family_(family), table_(std::move(table)) {
  nfgenmsg begin{};
  begin.res_id = htons(NFNL_SUBSYS_NFTABLES);
  request_.begin(NFNL_MSG_BATCH_BEGIN, 0, begin);
}

Transaction& Transaction::only_in_generation(std::uint32_t generation) {
  MINKE_CHECK(request_.count() == 1);  // it stands in the batch's begin
  request_.be32(NFNL_BATCH_GENID, generation);
  return *this;
}

sys::NetlinkRequest& Transaction::message(std::uint16_t type, std::uint16_t flags) {
  return request_.begin(static_cast<std::uint16_t>(kTables | type), flags, header(family_));
}

Transaction& Transaction::add_table() {
  message(NFT_MSG_NEWTABLE, NLM_F_CREATE).text(NFTA_TABLE_NAME, table_);
  return *this;
}
Transaction& Transaction::delete_table() {
  message(NFT_MSG_DELTABLE, 0).text(NFTA_TABLE_NAME, table_);
  return *this;
}

Transaction& Transaction::add_set(const Set& set) {
  auto& request = message(NFT_MSG_NEWSET, NLM_F_CREATE);
  std::uint32_t flags = (set.interval ? std::uint32_t{NFT_SET_INTERVAL} : 0) |
                        (set.data.empty() ? 0 : std::uint32_t{NFT_SET_MAP});
  request.text(NFTA_SET_TABLE, table_).text(NFTA_SET_NAME, set.name);
  request.be32(NFTA_SET_FLAGS, flags);
  request.be32(NFTA_SET_KEY_TYPE, fields_number(set.key));
  request.be32(NFTA_SET_KEY_LEN, fields_size(set.key));
  request.be32(NFTA_SET_ID, static_cast<std::uint32_t>(request.count()));
  // nft(8) reads interfaces' names the wrong way round unless it is told.
  if (set.key.size() == 1 && set.key[0] == Type::ifname)
    request.put(NFTA_SET_USERDATA, concat(kByteOrderTag, '\4', u32_bytes(kHostByteOrder)));
  if (!set.data.empty()) {
    request.be32(NFTA_SET_DATA_TYPE, fields_number(set.data));
    request.be32(NFTA_SET_DATA_LEN, fields_size(set.data));
  }
  return *this;
}

Transaction& Transaction::add_chain(const Chain& chain) {
  auto& request = message(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
  request.text(NFTA_CHAIN_TABLE, table_).text(NFTA_CHAIN_NAME, chain.name);
  if (chain.type.empty()) return *this;
  request.nest(NFTA_CHAIN_HOOK, [&] {
    request.be32(NFTA_HOOK_HOOKNUM, chain.hook);
    request.be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
  });
  request.be32(NFTA_CHAIN_POLICY, chain.drops ? NF_DROP : NF_ACCEPT)
      .text(NFTA_CHAIN_TYPE, chain.type);
  return *this;
}

Transaction& Transaction::flush_chain(std::string_view chain) {
  message(NFT_MSG_DELRULE, 0).text(NFTA_RULE_TABLE, table_).text(NFTA_RULE_CHAIN, chain);
  return *this;
}

Transaction& Transaction::add_rule(std::string_view chain, const Rule& rule, bool first,
                                   std::string_view comment) {
  std::uint16_t place = first ? 0 : NLM_F_APPEND;
  auto& request = message(NFT_MSG_NEWRULE, static_cast<std::uint16_t>(NLM_F_CREATE | place));
  request.text(NFTA_RULE_TABLE, table_).text(NFTA_RULE_CHAIN, chain);
  auto list = rule.list_.bytes();
  request.nest(NFTA_RULE_EXPRESSIONS, [&] { request.append(list.data(), list.size()); });
  if (!comment.empty()) {
    std::string data(1, kCommentTag);
    data += static_cast<char>(comment.size() + 1);
    request.put(NFTA_RULE_USERDATA, concat(data, comment, '\0'));
  }
  return *this;
}

Transaction& Transaction::delete_rule(std::string_view chain, std::uint64_t handle) {
  message(NFT_MSG_DELRULE, 0)
      .text(NFTA_RULE_TABLE, table_)
      .text(NFTA_RULE_CHAIN, chain)
      .be64(NFTA_RULE_HANDLE, handle);
  return *this;
}

Transaction& Transaction::elements(std::uint16_t type, std::uint16_t flags, std::string_view set,
                                   const std::vector<Element>& elements) {
  for (std::size_t at = 0; at < elements.size(); at += kElementsPerMessage) {
    auto& request = message(type, flags);
    request.text(NFTA_SET_ELEM_LIST_TABLE, table_).text(NFTA_SET_ELEM_LIST_SET, set);
    put_elements(request, &elements[at], std::min(kElementsPerMessage, elements.size() - at));
  }
  return *this;
}
Transaction& Transaction::add_elements(std::string_view set, const std::vector<Element>& all) {
  return elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, all);
}
Transaction& Transaction::delete_elements(std::string_view set, const std::vector<Element>& all) {
  return elements(NFT_MSG_DELSETELEM, 0, set, all);
}

Status Transaction::commit(sys::NetlinkSocket& socket, std::string_view what) {
  if (empty()) return {};
  request_.add_flags(NLM_F_ACK);
  nfgenmsg end{};
  end.res_id = htons(NFNL_SUBSYS_NFTABLES);
  request_.begin(NFNL_MSG_BATCH_END, 0, end);
  return socket.run(request_, what);
}

namespace {

bool absent(const Error& error) { return error.sys() == ENOENT; }

}  // namespace

Result<std::vector<Element>> find_elements(sys::NetlinkSocket& socket, std::uint8_t family,
                                           std::string_view table, std::string_view set,
                                           const std::vector<Element>& wanted) {
  std::vector<Element> found;
  for (std::size_t at = 0; at < wanted.size();) {
    sys::NetlinkRequest request;
    request.begin(kTables | NFT_MSG_GETSETELEM, 0, header(family));
    request.text(NFTA_SET_ELEM_LIST_TABLE, table).text(NFTA_SET_ELEM_LIST_SET, set);
    std::size_t count = std::min(kElementsPerQuestion, wanted.size() - at);
    put_elements(request, &wanted[at], count);
    // One answer for each, up to the first that is not there.
    std::vector<sys::NetlinkAnswer> answers;
    auto status = socket.ask_all(request, "read nftables", &answers);
    for (const auto& answer : answers) take_elements(answer, &found);
    if (!status && !absent(status.error())) return std::move(status.error());
    at += status ? count : answers.size() + 1;
  }
  return found;
}

Result<std::vector<Element>> list_elements(sys::NetlinkSocket& socket, std::uint8_t family,
                                           std::string_view table, std::string_view set) {
  sys::NetlinkRequest request;
  request.begin(kTables | NFT_MSG_GETSETELEM, 0, header(family));
  request.text(NFTA_SET_ELEM_LIST_TABLE, table).text(NFTA_SET_ELEM_LIST_SET, set);
  std::vector<Element> found;
  auto answers = socket.dump(request, "read nftables");
  if (!answers) {
    if (absent(answers.error())) return found;
    return std::move(answers.error());
  }
  for (const auto& answer : *answers) take_elements(answer, &found);
  return found;
}

Result<std::uint32_t> generation(sys::NetlinkSocket& socket) {
  sys::NetlinkRequest request;
  request.begin(kTables | NFT_MSG_GETGEN, 0, header(AF_UNSPEC));
  auto answer = TRY(socket.ask(request, "read nftables"));
  return sys::NetlinkAttributes(answer.payload, sizeof(nfgenmsg)).be32(NFTA_GEN_ID).value_or(0);
}

Result<std::vector<ForeignChain>> list_chains(sys::NetlinkSocket& socket) {
  sys::NetlinkRequest request;
  request.begin(kTables | NFT_MSG_GETCHAIN, 0, header(AF_UNSPEC));
  auto answers = TRY(socket.dump(request, "read nftables"));
  std::vector<ForeignChain> chains;
  for (const auto& answer : answers) {
    sys::NetlinkAttributes chain(answer.payload, sizeof(nfgenmsg));
    if (!chain.find(NFTA_CHAIN_HOOK)) continue;
    ForeignChain one;
    one.family = static_cast<std::uint8_t>(answer.payload[0]);
    one.table = chain.text(NFTA_CHAIN_TABLE);
    one.name = chain.text(NFTA_CHAIN_NAME);
    one.type = chain.text(NFTA_CHAIN_TYPE);
    one.hook = chain.nested(NFTA_CHAIN_HOOK).be32(NFTA_HOOK_HOOKNUM).value_or(0);
    one.drops = chain.be32(NFTA_CHAIN_POLICY).value_or(NF_ACCEPT) == NF_DROP;
    chains.push_back(std::move(one));
  }
  return chains;
}

Result<std::vector<std::uint64_t>> find_rules(sys::NetlinkSocket& socket, std::uint8_t family,
                                              std::string_view table, std::string_view chain,
                                              std::string_view comment) {
  sys::NetlinkRequest request;
  request.begin(kTables | NFT_MSG_GETRULE, 0, header(family));
  request.text(NFTA_RULE_TABLE, table).text(NFTA_RULE_CHAIN, chain);
  std::vector<std::uint64_t> handles;
  auto answers = socket.dump(request, "read nftables");
  if (!answers) {
    if (absent(answers.error())) return handles;
    return std::move(answers.error());
  }
  for (const auto& answer : *answers) {
    sys::NetlinkAttributes rule(answer.payload, sizeof(nfgenmsg));
    auto data = rule.find(NFTA_RULE_USERDATA).value_or(std::string_view());
    // Old kernels do not filter the dump: the rule's own words count.
    if (rule.text(NFTA_RULE_TABLE) != table || rule.text(NFTA_RULE_CHAIN) != chain) continue;
    if (data.find(comment) == std::string_view::npos) continue;
    auto handle = rule.find(NFTA_RULE_HANDLE).value_or(std::string_view());
    std::uint64_t number = 0;
    for (char byte : handle) number = number << 8 | static_cast<unsigned char>(byte);
    handles.push_back(number);
  }
  return handles;
}

}  // namespace minke::net::nft
