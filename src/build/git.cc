#include "build/git.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/str.h"
#include "build/remote.h"
#include "build/secret.h"
#include "build/sources.h"
#include "codec/base64.h"
#include "codec/digest.h"
#include "config/toml_file.h"
#include "sys/capture.h"
#include "sys/fd.h"

namespace minke::build {
namespace {

constexpr int kTimeout = 60 * 60 * 1000;  // ms, of one call of git
constexpr int kDeepest = 256;

// "user:password@" of a URL; where it begins and how long it is.
std::pair<std::size_t, std::size_t> userinfo_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {0, 0};
  const std::size_t begin = scheme + 3, end = url.find('/', begin);
  const std::size_t at = url.substr(0, end).rfind('@');
  return at == std::string_view::npos || at < begin ? std::pair(begin, std::size_t{0})
                                                    : std::pair(begin, at + 1 - begin);
}

std::string without_userinfo(std::string url) {
  auto [begin, size] = userinfo_of(url);
  // "git@" of ssh says nothing that is secret.
  if (url.substr(begin, size).find(':') == std::string::npos && url.starts_with("ssh://"))
    return url;
  return url.erase(begin, size);
}

std::string host_of(std::string_view url) {
  auto [begin, size] = userinfo_of(url);
  std::string_view rest = url.substr(begin + size);
  return std::string(rest.substr(0, rest.find('/')));
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(from)) {
      out += to;
      at += from.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

// What git says up to an empty line; then it explains.
std::string in_one_line(std::string_view text) {
  std::vector<std::string> lines;
  for (std::string_view line : split(trim(text), '\n')) {
    line = trim(line);
    if (line.empty()) break;
    lines.emplace_back(line);
  }
  return join(lines, "; ");
}

bool is_plain(std::string_view text) {
  return !text.starts_with('-') && std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c <= ' ' || c == 127;
  });
}

Status read_query(std::string_view query, GitSource* out) {
  for (std::string_view part : split(query, '&')) {
    auto pair = split_once(part, '=');
    const std::string_view key = pair ? pair->first : part;
    const std::string value(pair ? pair->second : std::string_view());
    if (key == "ref" || key == "branch" || key == "tag") {
      out->ref = key == "branch" ? concat("refs/heads/", value)
                 : key == "tag"  ? concat("refs/tags/", value)
                                 : value;
    } else if (key == "subdir") {
      out->folder = value;
    } else if (key == "checksum" || key == "commit") {
      out->commit = value;
    } else if (key == "submodules") {
      out->submodules = value.empty() || parse_bool(value).value_or(true);
    } else {
      return Error(Errc::unsupported, concat("?", part,
                                             " is not known (ref, branch, tag, subdir, "
                                             "checksum, submodules)"));
    }
  }
  return {};
}

class Clone {
 public:
  Clone(const GitSource& source, const GitAccess& access, std::string folder)
      : source_(source), access_(access), folder_(std::move(folder)) {}

  Result<std::string> run() {
    auto program = sys::find_in_path("git");
    if (!program)
      return Error(Errc::unsupported,
                   concat(source_.shown,
                          ": git sources need the program git, which is not in PATH (install it, "
                          "or name a folder or an archive)"));
    program_ = *program;
    TRY(set_environment());
    TRY(git({"init", "-q", folder_}, "init"));
    const std::string commit = TRY(fetch());
    TRY(git({"-C", folder_, "checkout", "-q", "-f", "--detach", commit}, "checkout"));
    if (source_.submodules && sys::exists(folder_ + "/.gitmodules")) TRY(fetch_submodules());
    return commit;
  }

  // For a .git that is kept: what is in it names the remote, but not who asked.
  Status name_remote() {
    TRY(git({"-C", folder_, "config", "remote.origin.url", without_userinfo(source_.remote)},
            "config"));
    return {};
  }

 private:
  void set(const char* name, std::string_view value) { env_.push_back(concat(name, "=", value)); }
  void hand_on(std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (const char* value = ::getenv(name)) set(name, value);
  }

  Status set_environment() {
    hand_on({"PATH", "TMPDIR", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY",
             "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
             "GIT_SSL_CAINFO"});
    set("LC_ALL", "C.UTF-8");
    // Nothing but these, whatever a submodule or a redirect names; no file of this machine.
    set("GIT_ALLOW_PROTOCOL", "https:http:ssh:git");
    set("GIT_TERMINAL_PROMPT", "0");
    set("GIT_ASKPASS", "true");
    set("SSH_ASKPASS_REQUIRE", "never");
    set("GIT_TEMPLATE_DIR", "");
    set("GIT_CONFIG_NOSYSTEM", access_.own ? "0" : "1");
    const char* home = ::getenv("HOME");
    const std::string home_folder = home != nullptr && *home == '/' ? home : "";
    set("HOME", access_.own && !home_folder.empty() ? home_folder : "/nonexistent");
    if (access_.own) hand_on({"XDG_CONFIG_HOME", "GIT_SSH_COMMAND", "SSH_AUTH_SOCK"});
    if (!access_.agent.empty()) set("SSH_AUTH_SOCK", access_.agent);
    if (!access_.own || ::getenv("GIT_SSH_COMMAND") == nullptr)
      set("GIT_SSH_COMMAND", ssh_command(home_folder));
    // The remote's address may hold a password: other processes could read arguments.
    set("GIT_CONFIG_COUNT", "1");
    set("GIT_CONFIG_KEY_0", "remote.origin.url");
    set("GIT_CONFIG_VALUE_0", source_.remote);
    return write_settings(home_folder);
  }

  // In the user's namespace we are root, whose home is another one: files are named.
  std::string ssh_command(const std::string& home) const {
    auto quoted = [](const std::string& text) {
      return concat("'", replace_all(text, "'", "'\\''"), "'");
    };
    const std::string folder = home + "/.ssh";
    std::string command =
        concat("ssh -o BatchMode=yes -o UserKnownHostsFile=", quoted(folder + "/known_hosts"));
    if (!access_.own) return command + " -F /dev/null -o IdentityFile=none";
    if (sys::exists(folder + "/config")) command += concat(" -F ", quoted(folder + "/config"));
    for (const char* key : {"id_ed25519", "id_ecdsa", "id_rsa"})
      if (sys::exists(concat(folder, "/", key)))
        command += concat(" -o IdentityFile=", quoted(concat(folder, "/", key)));
    return command;
  }

  Status write_settings(const std::string& home) {
    std::string text;
    if (access_.own && !home.empty())
      for (const char* file : {"/.config/git/config", "/.gitconfig"})
        text += concat("[include]\n\tpath = \"", home, file, "\"\n");
    text += "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n";
    if (std::string header = TRY(auth_header()); !header.empty())
      text += concat("[http \"", source_.remote.substr(0, source_.remote.find("://")), "://",
                     host_of(source_.remote), "/\"]\n\textraHeader = \"Authorization: ", header,
                     "\"\n");
    const std::string path =
        concat(access_.private_folder, "/git-", sha256_hex(folder_).substr(0, 16), ".conf");
    TRY(sys::write_file(path, text, 0600));
    set("GIT_CONFIG_GLOBAL", path);
    return {};
  }

  Result<std::string> auth_header() {
    if (access_.secrets == nullptr || !is_url(source_.remote)) return std::string();
    const std::string host = host_of(source_.remote);
    for (const std::string& behind : {concat(".", host), std::string()}) {
      for (const char* name : {"GIT_AUTH_HEADER", "GIT_AUTH_TOKEN"}) {
        auto secret = access_.secrets->find(name + behind);
        if (secret == access_.secrets->end()) continue;
        const std::string whole = TRY(read_secret(secret->second, secret->first));
        const std::string_view value = trim(whole);
        if (!std::all_of(value.begin(), value.end(), [](unsigned char c) {
              return c >= ' ' && c < 127 && c != '"' && c != '\\';
            }))
          return Error(Errc::invalid_argument,
                       concat("secret ", secret->first, ": one line of plain text is wanted"));
        if (name == std::string_view("GIT_AUTH_HEADER")) return std::string(value);
        return concat("basic ", base64_encode(concat("x-access-token:", value)));
      }
    }
    return std::string();
  }

  Result<std::string> git(std::vector<std::string> words, std::string_view what) {
    sys::SpawnOptions options;
    options.path = program_;
    options.argv = {"git"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.env = env_;
    options.die_with_parent = options.new_session = true;
    // The same modes whoever builds.
    const mode_t before = ::umask(022);
    auto said = sys::capture(std::move(options), "", "git", {.timeout_ms = kTimeout});
    ::umask(before);
    if (!said) return std::move(said.error()).wrap(source_.shown);
    if (said->exit_code == 0) return std::string(trim(said->out));
    std::string reason = in_one_line(said->err);
    auto [begin, size] = userinfo_of(source_.remote);
    if (size > 0) reason = replace_all(reason, source_.remote.substr(begin, size), "");
    return Error(Errc::unavailable, concat(source_.shown, ": git ", what, ": ",
                                           reason.empty() ? concat("exit code ", said->exit_code)
                                                          : config::one_line(reason)));
  }

  Result<std::string> commit_of(const std::string& name) {
    return git(
        {"-C", folder_, "rev-parse", "--verify", "-q", "--end-of-options", name + "^{commit}"},
        concat("rev-parse ", name));
  }

  bool may_be_commit(const std::string& text) const {
    return text.size() >= 7 && text.size() <= 64 && is_hex(text);
  }

  // One commit where the server gives it, else everything, to look for it.
  Result<std::string> fetch() {
    std::string ref = source_.ref;
    if (ref.empty()) ref = source_.commit.size() >= 40 ? source_.commit : "HEAD";
    auto one = git({"-C", folder_, "fetch", "-q", "--depth=1", "--no-tags", "origin", ref},
                   concat("fetch ", ref));
    std::string commit;
    if (one) {
      commit = TRY(commit_of("FETCH_HEAD"));
    } else if (may_be_commit(ref)) {
      TRY(git(
          {"-C", folder_, "fetch", "-q", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"},
          "fetch"));
      commit = TRY(commit_of(ref));
    } else {
      return std::move(one.error());
    }
    if (!source_.commit.empty() && !commit.starts_with(to_lower(source_.commit)))
      return Error(Errc::corrupt, concat(source_.shown, ": its commit is ", commit, ", not ",
                                         source_.commit, " as the checksum says"));
    return commit;
  }

  Status fetch_submodules() {
    const std::vector<std::string> words = {"-C", folder_,  "submodule",   "update",
                                            "-q", "--init", "--recursive", "--depth=1"};
    auto shallow = git(words, "submodule update");
    if (shallow) return {};
    // A server may not give out single commits.
    TRY(git({words.begin(), words.end() - 1}, "submodule update"));
    return {};
  }

  const GitSource& source_;
  const GitAccess& access_;
  std::string folder_, program_;
  std::vector<std::string> env_;
};

// git itself keeps nothing of this name in a repository.
Status remove_git(int folder, int depth) {
  if (depth > kDeepest) return Error(Errc::unsupported, "nested too deep");
  sys::UniqueFd listed(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listed) return Error::from_errno(errno, "open a folder of the repository");
  sys::DirFd dir(std::move(listed));
  for (const std::string& name : TRY(sys::list_dir(dir))) {
    if (name == ".git") {
      TRY(sys::remove_tree_at(dir, name.c_str()));
      continue;
    }
    struct stat st {};
    if (::fstatat(folder, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::from_errno(errno, concat("stat ", name));
    if (!S_ISDIR(st.st_mode)) continue;
    sys::UniqueFd below =
        TRY(sys::open_beneath(folder, name.c_str(), O_RDONLY | O_DIRECTORY, 0, true));
    TRY(remove_git(below.get(), depth + 1));
  }
  return {};
}

}  // namespace

Result<GitSource> parse_git(std::string_view text) {
  GitSource out;
  std::string_view rest = text;
  std::string_view fragment;
  if (auto parts = split_once(rest, '#')) {
    rest = parts->first;
    fragment = parts->second;
  }
  if (rest.find("://") != std::string_view::npos)
    if (auto parts = split_once(rest, '?')) {
      rest = parts->first;
      TRY_CTX(read_query(parts->second, &out), without_userinfo(std::string(rest)));
    }
  out.remote = rest.starts_with("github.com/") ? concat("https://", rest) : std::string(rest);
  out.shown = without_userinfo(out.remote);
  if (!fragment.empty()) {
    auto parts = split_once(fragment, ':');
    out.ref = parts ? parts->first : fragment;
    if (parts) out.folder = parts->second;
  }
  for (const std::string& part : {out.remote, out.ref, out.commit})
    if (!is_plain(part))
      return Error(Errc::invalid_argument, concat(out.shown, ": not the name of a git source"));
  if (out.ref.find(':') != std::string::npos || out.ref.starts_with('+'))
    return Error(Errc::invalid_argument, concat(out.shown, ": ", quote(out.ref), " is no ref"));
  if (!out.commit.empty() && (out.commit.size() < 7 || !is_hex(out.commit)))
    return Error(Errc::invalid_argument,
                 concat(out.shown, ": checksum ", quote(out.commit), " is no commit"));
  return out;
}

Result<GitTree> fetch_git(const GitSource& source, bool keep_git, const std::string& scratch,
                          const GitAccess& access) {
  const std::string name =
      sha256_hex(concat(source.remote, "\n", source.ref, "\n", source.commit, "\n",
                        keep_git ? "k" : "", source.submodules ? "s" : ""));
  const std::string folder = concat(scratch, "/git-", name.substr(0, 32)),
                    done = folder + ".commit";
  GitTree tree;
  if (auto known = sys::read_small_file(done)) {
    tree.commit = *known;
  } else {
    Clone clone(source, access, folder);
    tree.commit = TRY(clone.run());
    if (keep_git) TRY(clone.name_remote());
    sys::DirFd root = TRY(sys::open_dir(folder));
    if (!keep_git) TRY_CTX(remove_git(root.get(), 0), source.shown);
    TRY(sys::write_file(done, tree.commit, 0600));
  }
  sys::DirFd root = TRY(sys::open_dir(folder));
  const std::string inside = TRY(resolve_in_root(root.get(), source.folder));
  auto st = stat_beneath(root.get(), inside);
  if (!st || !S_ISDIR(st->st_mode))
    return Error(Errc::not_found,
                 concat(source.shown, ": no folder ", quote(source.folder), " in the repository"));
  tree.path = inside == "." ? folder : concat(folder, "/", inside);
  return tree;
}

}  // namespace minke::build
