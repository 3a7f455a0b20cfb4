// For tests: a folder of their own, with files as they say.
#pragma once

#include <stdlib.h>

#include <string>
#include <string_view>

#include "config/registries_conf.h"
#include "sys/fd.h"

namespace minke::config {

class TestingFolder {
 public:
  TestingFolder() {
    char path[] = "/tmp/minke-config-XXXXXX";
    MINKE_CHECK(::mkdtemp(path) != nullptr);
    path_ = path;
  }
  TestingFolder(const TestingFolder&) = delete;
  TestingFolder& operator=(const TestingFolder&) = delete;
  ~TestingFolder() { ignore(sys::remove_tree_at(sys::DirFd::cwd(), path_.c_str()), "in /tmp"); }

  // `name` with its folders; returns the path.
  std::string write(std::string_view name, std::string_view text, mode_t mode = 0600) const {
    std::string path = path_ + "/" + std::string(name);
    MINKE_CHECK(sys::ensure_dirs(path.substr(0, path.rfind('/')), 0700).ok());
    MINKE_CHECK(sys::write_file(path, text, mode).ok());
    return path;
  }
  std::string read(std::string_view name) const {
    auto text = sys::read_small_file(path_ + "/" + std::string(name));
    return text ? *text : "error: " + text.error().message();
  }
  // Everything below this folder: an ordinary user's.
  RegistryPlaces places() const {
    RegistryPlaces places;
    places.uid = 1000;
    places.home = path_ + "/home";
    places.config_home = places.home + "/.config";
    places.runtime_dir = path_ + "/run";
    places.prefix = path_;
    return places;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace minke::config
