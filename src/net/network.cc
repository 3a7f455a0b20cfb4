#include "net/network.h"

#include "base/str.h"

namespace minke::net {
namespace {

// One member that is text in JSON and a T here.
template <typename T>
void bind_text(json::Binder& b, const char* key, T& field) {
  std::string text = b.reading() ? "" : field.text();
  b(key, text);
  if (!b.reading() || text.empty()) return;
  auto parsed = T::parse(text);
  if (parsed)
    field = *parsed;
  else
    b.fail_at(key, parsed.error().message());
}

template <typename T>
void bind_optional(json::Binder& b, const char* key, std::optional<T>& field) {
  if (!b.reading()) {
    if (field) bind_text(b, key, *field);
    return;
  }
  std::string text;
  b(key, text);
  if (text.empty()) return;
  auto parsed = T::parse(text);
  if (parsed)
    field = *parsed;
  else
    b.fail_at(key, parsed.error().message());
}

template <typename T>
void bind_texts(json::Binder& b, const char* key, std::vector<T>& fields) {
  std::vector<std::string> texts;
  if (!b.reading())
    for (const T& field : fields) texts.push_back(field.text());
  b(key, texts);
  if (!b.reading()) return;
  fields.clear();
  for (const std::string& text : texts) {
    auto parsed = T::parse(text);
    if (!parsed) return b.fail_at(key, parsed.error().message());
    fields.push_back(*parsed);
  }
}

struct RangeText {
  std::string start_ip, end_ip;
};
void bind(json::Binder& b, RangeText& r) {
  b("start_ip", r.start_ip);
  b("end_ip", r.end_ip);
}

}  // namespace

void bind_field(json::Binder& b, const char* key, IpAddress& address) {
  bind_text(b, key, address);
}
void bind_field(json::Binder& b, const char* key, IpPrefix& prefix) { bind_text(b, key, prefix); }
void bind_field(json::Binder& b, const char* key, MacAddress& mac) { bind_text(b, key, mac); }
void bind_field(json::Binder& b, const char* key, std::vector<IpAddress>& addresses) {
  bind_texts(b, key, addresses);
}
void bind_field(json::Binder& b, const char* key, std::vector<IpPrefix>& prefixes) {
  bind_texts(b, key, prefixes);
}

void bind_field(json::Binder& b, const char* key, std::optional<IpAddress>& address) {
  bind_optional(b, key, address);
}
void bind_field(json::Binder& b, const char* key, std::optional<MacAddress>& mac) {
  bind_optional(b, key, mac);
}

void bind(json::Binder& b, Subnet& s) {
  bind_field(b, "subnet", s.subnet);
  bind_field(b, "gateway", s.gateway);
  RangeText range;
  if (s.lease_range) range = {s.lease_range->first.text(), s.lease_range->last.text()};
  b("lease_range", range);
  if (!b.reading() || (range.start_ip.empty() && range.end_ip.empty())) return;
  // Either end may be missing: the subnet's own then.
  auto first = range.start_ip.empty() ? Result<IpAddress>(s.subnet.network().next())
                                      : IpAddress::parse(range.start_ip);
  auto last =
      range.end_ip.empty() ? Result<IpAddress>(s.subnet.last()) : IpAddress::parse(range.end_ip);
  if (!first)
    b.fail_at("lease_range", first.error().message());
  else if (!last)
    b.fail_at("lease_range", last.error().message());
  else
    s.lease_range = IpRange{*first, *last};
}

void bind(json::Binder& b, Route& r) {
  bind_field(b, "destination", r.destination);
  bind_field(b, "gateway", r.gateway);
  b("metric", r.metric);
}

void bind(json::Binder& b, Network& n) {
  b.required("name", n.name);
  b.required("id", n.id);
  b.required("driver", n.driver);
  b("network_interface", n.interface);
  std::string created = b.reading() ? "" : format_rfc3339(n.created);
  b("created", created);
  if (b.reading() && !created.empty()) {
    auto time = parse_rfc3339(created);
    if (time)
      n.created = *time;
    else
      b.fail_at("created", concat(quote(created), " is not a time"));
  }
  b("subnets", n.subnets);
  b("routes", n.routes);
  b.required("ipv6_enabled", n.ipv6_enabled);
  b.required("internal", n.internal);
  b.required("dns_enabled", n.dns_enabled);
  bind_field(b, "network_dns_servers", n.dns_servers);
  b("labels", n.labels);
  b("options", n.options);
  b("ipam_options", n.ipam_options);
}

const std::string* Network::option(const std::string& key) const {
  auto found = options.find(key);
  return found == options.end() ? nullptr : &found->second;
}

const Subnet* Network::subnet_of(const IpAddress& address) const {
  for (const Subnet& subnet : subnets)
    if (subnet.subnet.contains(address)) return &subnet;
  return nullptr;
}

}  // namespace minke::net
