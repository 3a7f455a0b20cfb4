#include "monitor/plan.h"

#include "monitor/wire.h"

namespace minke::monitor {

// The packed and the JSON form share one list of fields (wire.h).
void bind(json::Binder& b, LogPlan& l) { describe(b, l); }
static void bind(json::Binder& b, EventSink& e) { describe(b, e); }
static void bind(json::Binder& b, Attribute& a) { describe(b, a); }
static void bind(json::Binder& b, RestartPlan& r) { describe(b, r); }
static void bind(json::Binder& b, NetdPlan& n) { describe(b, n); }
static void bind(json::Binder& b, HealthCheck& c) { describe(b, c); }
void bind(json::Binder& b, HealthPlan& h) { describe(b, h); }
void bind(json::Binder& b, Plan& p) { describe(b, p); }

void bind(json::Binder& b, StateRecord& s) { describe(b, s); }

void bind(json::Binder& b, ExitRecord& e) {
  b.required("exit_code", e.exit_code);
  b("oom_killed", e.oom_killed);
  b("timed_out", e.timed_out);
  b("started_at", e.started_at);
  b("finished_at", e.finished_at);
  b("error", e.error);
}

void bind(json::Binder& b, ExecPlan& p) {
  b("session", p.session);
  b("container_id", p.container_id);
  b("bundle", p.bundle);
  b("run_dir", p.run_dir);
  b("process", p.process);
  b("stdin_open", p.stdin_open);
}

}  // namespace minke::monitor
