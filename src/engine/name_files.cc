#include "engine/name_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/str.h"
#include "sys/fd.h"

namespace minke::engine {
namespace {

constexpr std::size_t kSmallConfig = 1 << 20;

// HOST[;HOST...]:IP, the IP "host-gateway" being the host as the container sees it.
Result<std::string> added_hosts(const std::vector<std::string>& entries, const std::string& gateway,
                                std::set<std::string>* names) {
  std::string text;
  for (const std::string& entry : entries) {
    auto pair = split_once(entry, ':');
    if (!pair || pair->first.empty() || pair->second.empty())
      return Error(Errc::invalid_argument,
                   concat("unable to parse host entry ", quote(entry), ": incorrect format"));
    std::string address(pair->second);
    if (address == "host-gateway") {
      if (gateway.empty())
        return Error(Errc::invalid_argument,
                     concat("unable to replace \"host-gateway\" of host entry ", quote(entry),
                            ": host containers internal IP address is empty"));
      address = gateway;
    }
    std::string line = address + "\t";
    for (std::string_view name : split(pair->first, ';')) {
      if (line.back() != '\t') line += ' ';
      line += name;
      names->emplace(name);
    }
    text += line + "\n";
  }
  return text;
}

// The image's own /etc/hosts: of the topmost layer that has one.
std::string image_hosts(const ContainerConfig& config) {
  std::vector<std::string> roots = config.lower;
  if (!config.rootfs.empty()) roots = {config.rootfs};
  for (const std::string& path : roots) {
    auto root = sys::open_dir(path);
    if (!root) continue;
    auto file = sys::open_in_root(root->get(), "etc/hosts", O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st {};
    if (!file || ::fstat(file->get(), &st) < 0) continue;
    if (!S_ISREG(st.st_mode)) return "";
    return sys::read_all(file->get(), kSmallConfig).value_or("");
  }
  return "";
}

Result<std::string> base_hosts_text(const ContainerConfig& config) {
  const std::string& base = config.request.defaults.base_hosts_file;
  if (base == "none") return std::string();
  if (base == "image") return image_hosts(config);
  if (!base.empty()) return TRY_CTX(sys::read_small_file(base, kSmallConfig), "base_hosts_file");
  return sys::read_small_file("/etc/hosts", kSmallConfig)
      .value_or("127.0.0.1 localhost\n::1 localhost\n");
}

// The base's lines, as Podman takes them over, without names that were given another address.
std::string base_hosts(std::string_view text, const std::set<std::string>& taken) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    std::vector<std::string> words;
    std::string word;
    for (char c : std::string(line) + " ") {
      if (c != ' ' && c != '\t')
        word += c;
      else if (!word.empty())
        words.push_back(std::exchange(word, ""));
    }
    std::string names;
    for (std::size_t i = 1; i < words.size(); ++i)
      if (!taken.contains(words[i])) names += (names.empty() ? "" : " ") + words[i];
    if (!names.empty()) out += concat(words[0], "\t", names, "\n");
  }
  return out;
}

std::string own_names(const ContainerConfig& config) {
  const std::string& name = config.name.empty() ? config.request.name : config.name;
  // As Docker: the full name first, which is what `hostname -f` takes.
  std::string full = config.request.domainname.empty()
                         ? ""
                         : concat(config.hostname, ".", config.request.domainname, " ");
  return name.empty() || name == config.hostname ? concat(full, config.hostname)
                                                 : concat(full, config.hostname, " ", name);
}

// "127.0.0.53": of the host's own loopback.
bool is_local_server(std::string_view text) {
  auto address = net::IpAddress::parse(text.substr(0, text.find('%')));
  return address && address->is_loopback();
}

struct ResolvFile {
  std::vector<std::string> servers;
  std::string search, options;
};
ResolvFile read_resolv(const char* path) {
  ResolvFile file;
  std::string text = sys::read_small_file(path, kSmallConfig).value_or("");
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.starts_with("nameserver"))
      file.servers.emplace_back(trim(line.substr(std::string_view("nameserver").size())));
    if (line.starts_with("search") || line.starts_with("domain")) file.search = concat(line, "\n");
    if (line.starts_with("options")) file.options += concat(line, "\n");
  }
  return file;
}

// The gateways of networks with names: there minke-netd answers.
std::vector<std::string> name_servers(const net::AttachmentRecord& record) {
  std::vector<std::string> servers;
  for (const net::Attachment& network : record.networks)
    if (network.dns_enabled)
      for (const net::IpAddress& gateway : network.gateways) servers.push_back(gateway.text());
  return servers;
}

Status rewrite(const std::string& path, const std::string& text) {
  sys::UniqueFd file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return {};
  if (!file) return Error::from_errno(errno, path);
  return sys::write_all(file.get(), text, path);
}

}  // namespace

HostResolver host_resolver(bool loopback_too) {
  ResolvFile file = read_resolv("/etc/resolv.conf");
  HostResolver out{{}, file.search, file.options};
  const bool all_local =
      !file.servers.empty() &&
      std::all_of(file.servers.begin(), file.servers.end(),
                  [](const std::string& server) { return is_local_server(server); });
  // A server on the host's loopback is out of a container's reach: those that it asks itself.
  if (all_local && !loopback_too) file = read_resolv("/run/systemd/resolve/resolv.conf");
  for (std::string& server : file.servers)
    if (loopback_too || !is_local_server(server)) out.servers.push_back(std::move(server));
  if (out.servers.empty() && !loopback_too)
    out.servers = {"8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"};
  return out;
}

Result<std::string> hosts_text(const ContainerConfig& config, const NameSources& sources) {
  const bool host_network = config.network_mode == "host",
             helped = is_helper_mode(config.network_mode),
             bridge = config.network_mode == "bridge" || helped;
  const std::string gateway = host_network ? "127.0.0.1" : sources.host_address;
  std::set<std::string> taken;
  // Addresses of a bridged container are known only when it starts.
  std::string text;
  if (!bridge || sources.record != nullptr || sources.helper != nullptr)
    text = TRY(added_hosts(config.request.add_hosts, gateway, &taken));
  std::string internal;
  for (const char* name : {"host.containers.internal", "host.docker.internal"})
    if (taken.insert(name).second && !gateway.empty())
      internal += internal.empty() ? concat(gateway, "\t", name) : concat(" ", name);
  if (!internal.empty()) internal += "\n";
  std::string own;
  if (bridge) {
    if (sources.record != nullptr)
      for (const net::Attachment& network : sources.record->networks)
        for (const net::IpPrefix& address : network.addresses)
          own += concat(address.address.text(), "\t", own_names(config), "\n");
    if (sources.helper != nullptr)
      for (const std::string& address : sources.helper->own)
        own += concat(address, "\t", own_names(config), "\n");
  } else if (!host_network && !config.network_mode.starts_with("ns:")) {
    own = concat("127.0.0.1\t", own_names(config), "\n");
  }
  if (!own.empty()) {
    taken.insert(config.hostname);
    taken.insert(config.name.empty() ? config.request.name : config.name);
  }
  std::string base = TRY(base_hosts_text(config));
  return bridge ? text + base_hosts(base, taken) + internal + own
                : text + internal + base_hosts(base, taken) + own;
}

std::string resolv_text(const ContainerConfig& config, const NameSources& sources) {
  const CreateRequest& request = config.request;
  // The host's own namespace reaches the host's loopback.
  HostResolver host = host_resolver(config.network_mode == "host");
  std::vector<std::string> servers = host.servers, ours;
  if (sources.record != nullptr && sources.names_served) ours = name_servers(*sources.record);
  std::string search = host.search;
  if (!ours.empty()) {
    // Servers of --dns are asked by minke-netd.
    servers = ours;
    std::string_view words =
        trim(std::string_view(host.search)
                 .substr(std::min(host.search.size(), host.search.find_first_of(" \t"))));
    search = concat("search dns.podman", words.empty() ? "" : " ", words, "\n");
  } else if (!request.dns.empty()) {
    servers = request.dns;
  } else if (sources.helper != nullptr) {
    servers.insert(servers.begin(), sources.helper->servers.begin(), sources.helper->servers.end());
  }
  if (!request.dns_search.empty())
    search = request.dns_search == std::vector<std::string>{"."}
                 ? ""
                 : concat("search ", join(request.dns_search, " "), "\n");
  std::string options = host.options, lines;
  if (!request.dns_options.empty())
    options = concat("options ", join(request.dns_options, " "), "\n");
  for (const std::string& server : servers) lines += concat("nameserver ", server, "\n");
  return search + lines + options;
}

Status write_names(const ContainerConfig& config, const std::string& dir, NameSources sources) {
  const std::string& asked = config.request.defaults.internal_ip;
  if (!asked.empty()) sources.host_address = asked == "none" ? std::string() : asked;
  if (!config.request.no_hosts) {
    std::string text = TRY(hosts_text(config, sources));
    TRY(rewrite(dir + "/hosts", text));
  }
  return rewrite(dir + "/resolv.conf", resolv_text(config, sources));
}

}  // namespace minke::engine
