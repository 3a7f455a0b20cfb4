// minke-image at work: started with a request, asked for its reply at the end.
#pragma once

#include <string>

#include "base/result.h"
#include "store/worker_protocol.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace minke::store {

struct WorkerFds {
  int store = -1, staging = -1, data = -1, output = -1;  // -1: /dev/null
};

class RunningWorker {
 public:
  static Result<RunningWorker> start(const WorkerRequest& request, const WorkerFds& fds);
  // Waits for its end. What it failed of is an error; its notes go to the debug log.
  Result<WorkerReply> finish();

 private:
  RunningWorker() = default;
  std::string verb_;
  sys::Spawned process_;
  sys::UniqueFd reply_;
};

Result<WorkerReply> run_worker(const WorkerRequest& request, const WorkerFds& fds);

// The descriptor, or that of /dev/null, which is opened when first needed.
Result<int> fd_or_null(int fd, sys::UniqueFd* null_fd);
// The end of a process as people say it: "exit code 1", "killed by signal SIGSEGV".
std::string end_of(int wait_status);
// The error that another program of ours told by code and text.
Error error_of(std::int32_t code, std::string text);

}  // namespace minke::store
