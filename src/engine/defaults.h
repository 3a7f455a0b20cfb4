// containers.conf gives defaults; options win.
#pragma once

#include "base/result.h"
#include "config/containers_conf.h"
#include "engine/host.h"
#include "engine/request.h"

namespace minke::engine {

// Where events go, unless the command line says so.
Status use_events(const config::ContainersConf& conf, Host* host);

// Fills what the request leaves open. An error names file, line and key.
Status fold_defaults(const config::ContainersConf& conf, const Host& host, CreateRequest* request);

}  // namespace minke::engine
