// Container output from the journal, through libsystemd where it is installed (it is loaded at
// need).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "monitor/logs.h"

namespace minke::monitor {

// unsupported when there is no libsystemd on this machine.
Status read_journal(const std::string& container_id, const LogQuery& query,
                    const std::function<bool(const LogLine&)>& on_line);

}  // namespace minke::monitor
