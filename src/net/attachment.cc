#include "net/attachment.h"

#include "sys/fd.h"

namespace minke::net {

void bind(json::Binder& b, Attachment& a) {
  b.required("network", a.network);
  b("networkId", a.network_id);
  b("driver", a.driver);
  b("interface", a.interface);
  b("bridge", a.bridge);
  b("hostInterface", a.host_interface);
  if (b.reading() || !a.mac.is_zero()) bind_field(b, "mac", a.mac);
  bind_field(b, "addresses", a.addresses);
  bind_field(b, "gateways", a.gateways);
  b("aliases", a.aliases);
  b("internal", a.internal);
  b("dnsEnabled", a.dns_enabled);
}

void bind(json::Binder& b, AttachmentRecord& r) {
  b.required("id", r.id);
  b("name", r.name);
  b("hostname", r.hostname);
  b("pid", r.pid);
  b("startTime", r.start_time);
  b("networks", r.networks);
  b("ports", r.ports);
  bind_field(b, "dns", r.dns);
}

const Attachment* AttachmentRecord::find(const std::string& network) const {
  for (const Attachment& attachment : networks)
    if (attachment.network == network) return &attachment;
  return nullptr;
}

Result<std::optional<AttachmentRecord>> load_attachments(const std::string& run_dir) {
  const std::string path = run_dir + kAttachmentFile;
  auto text = sys::read_small_file(path, 16 << 20);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<AttachmentRecord>();
    return std::move(text.error());
  }
  auto record = json::parse_struct<AttachmentRecord>(*text);
  if (!record) return std::move(record.error()).wrap(path).as(Errc::corrupt);
  return std::optional(std::move(*record));
}

Status save_attachments(const std::string& run_dir, const AttachmentRecord& record) {
  return sys::write_file(run_dir + kAttachmentFile, json::dump_struct(record), 0600,
                         sys::Durability::none);
}

}  // namespace minke::net
