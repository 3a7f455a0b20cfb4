// The program that plays a container's init in tests: `probe` prints as one JSON object what it
// sees, `probe VERB ...` behaves in a way a test can ask for. Static, libc only: it runs in an
// empty root.
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

// JSON, written as it goes. `sep` is what stands before the next member.
static const char* sep = "";

static void put_string(const char* s) {
  putchar('"');
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c == '\n')
      fputs("\\n", stdout);
    else if (c < 0x20 || c >= 0x7f)
      printf("\\u%04x", c);
    else
      putchar(c);
  }
  putchar('"');
}
static void key(const char* name) {
  fputs(sep, stdout);
  put_string(name);
  putchar(':');
  sep = ",";
}
static void put_text(const char* name, const char* value) { key(name), put_string(value); }
static void put_number(const char* name, long long value) { key(name), printf("%lld", value); }
static void open_with(char c) { putchar(c), sep = ""; }
static void close_with(char c) { putchar(c), sep = ","; }
static void item(void) { fputs(sep, stdout), sep = ","; }

// The file's content up to the last newline, or NULL with errno set.
static char* slurp(const char* path) {
  static char buf[65536];
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return NULL;
  ssize_t n = read(fd, buf, sizeof buf - 1);
  int saved = errno;
  close(fd);
  errno = saved;
  if (n < 0) return NULL;
  buf[n] = 0;
  while (n > 0 && buf[n - 1] == '\n') buf[--n] = 0;
  return buf;
}

// The value of "Name:\tvalue" in /proc/self/status, or "".
static const char* status_field(const char* name) {
  static char value[4096];
  char* text = slurp("/proc/self/status");
  size_t len = strlen(name);
  value[0] = 0;
  for (char* line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
    if (strncmp(line, name, len) || line[len] != ':') continue;
    sscanf(line + len + 1, " %4095[^\n]", value);
    break;
  }
  return value;
}

static void report_ids(void) {
  uid_t r, e, s;
  getresuid(&r, &e, &s);
  key("uid"), printf("[%u,%u,%u]", r, e, s);
  getresgid(&r, &e, &s);
  key("gid"), printf("[%u,%u,%u]", r, e, s);
  gid_t groups[256];
  int n = getgroups(256, groups);
  key("groups"), open_with('[');
  for (int i = 0; i < n; i++) item(), printf("%u", groups[i]);
  close_with(']');
  put_number("pid", getpid());
  put_number("ppid", getppid());
  put_number("pgid", getpgrp());
  put_number("sid", getsid(0));
}

static void report_security(void) {
  static const char* const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
  key("caps"), open_with('{');
  for (int i = 0; i < 5; i++) put_text(sets[i], status_field(sets[i]));
  close_with('}');
  put_number("no_new_privs", atoi(status_field("NoNewPrivs")));
  put_number("seccomp", atoi(status_field("Seccomp")));
  char* label = slurp("/proc/self/attr/current");
  put_text("label", label ? label : "");
}

static void report_limits(void) {
  static const char* const names[] = {
      "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
      "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};
  key("rlimits"), open_with('{');
  for (int i = 0; i < 16; i++) {
    struct rlimit l;
    if (getrlimit((__rlimit_resource_t)i, &l)) continue;
    // -1 stands for no limit
    key(names[i]), printf("[%lld,%lld]", (long long)l.rlim_cur, (long long)l.rlim_max);
  }
  close_with('}');
  mode_t mask = umask(0);
  umask(mask);
  char text[16];
  snprintf(text, sizeof text, "%04o", mask);
  put_text("umask", text);
  char* oom = slurp("/proc/self/oom_score_adj");
  put_number("oom_score_adj", oom ? atoi(oom) : 0);
}

static void report_namespaces(void) {
  static const char* const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
  key("namespaces"), open_with('{');
  for (int i = 0; i < 8; i++) {
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    if (!stat(path, &st)) put_number(names[i], (long long)st.st_ino);
  }
  close_with('}');
  char* map = slurp("/proc/self/uid_map");
  put_text("uid_map", map ? map : "");
  map = slurp("/proc/self/gid_map");
  put_text("gid_map", map ? map : "");
  char* cgroup = slurp("/proc/self/cgroup");
  put_text("cgroup", cgroup ? cgroup : "");
  struct utsname u;
  uname(&u);
  put_text("hostname", u.nodename);
  put_text("domainname", u.domainname);
}

// mountinfo escapes blanks and backslashes in octal.
static void unescape(char* s) {
  char* out = s;
  for (; *s; s++) {
    if (s[0] == '\\' && isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2])) {
      *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
      s += 3;
    } else {
      *out++ = *s;
    }
  }
  *out = 0;
}

static void report_mounts(void) {
  FILE* f = fopen("/proc/self/mountinfo", "re");
  char* line = NULL;
  size_t size = 0;
  key("mounts"), open_with('[');
  while (f && getline(&line, &size, f) > 0) {
    static char root[4096], target[4096], options[4096], type[256], source[4096], super[4096];
    int id, parent, at = 0;
    char* dash = strstr(line, " - ");
    if (!dash ||
        sscanf(line, "%d %d %*s %4095s %4095s %4095s%n", &id, &parent, root, target, options, &at) <
            5 ||
        sscanf(dash + 3, "%255s %4095s %4095s", type, source, super) < 3)
      continue;
    char propagation[256] = "";
    if (line + at < dash)
      snprintf(propagation, sizeof propagation, "%.*s", (int)(dash - line - at - 1), line + at + 1);
    unescape(root), unescape(target), unescape(source);
    item(), open_with('{');
    put_text("target", target), put_text("type", type), put_text("source", source),
        put_text("root", root);
    put_text("options", options), put_text("super", super), put_text("propagation", propagation);
    close_with('}');
  }
  close_with(']');
  free(line);
  if (f) fclose(f);
}

static void report_files(void) {
  char cwd[PATH_MAX];
  put_text("cwd", getcwd(cwd, sizeof cwd) ? cwd : strerror(errno));
  key("env"), open_with('{');
  for (char** e = environ; *e; e++) {
    char* eq = strchr(*e, '=');
    if (!eq) continue;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(eq - *e), *e);
    put_text(name, eq + 1);
  }
  close_with('}');
  key("fds"), open_with('{');
  DIR* dir = opendir("/proc/self/fd");
  for (struct dirent* d; dir && (d = readdir(dir));) {
    if (d->d_name[0] == '.' || atoi(d->d_name) == dirfd(dir)) continue;
    char target[PATH_MAX];
    ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof target - 1);
    target[n > 0 ? n : 0] = 0;
    put_text(d->d_name, target);
  }
  if (dir) closedir(dir);
  close_with('}');
  put_number("tty", isatty(0) + isatty(1) * 2 + isatty(2) * 4);
}

static const char* access_of(const char* path) {
  static char text[32];
  struct stat st;
  if (stat(path, &st)) return "absent";
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return "unreadable";
  char c;
  int empty = 1;
  if (S_ISDIR(st.st_mode)) {
    DIR* dir = fdopendir(fd);
    for (struct dirent* d; dir && (d = readdir(dir));)
      if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..")) empty = 0;
    if (dir) closedir(dir);
  } else {
    empty = read(fd, &c, 1) <= 0;
    close(fd);
  }
  int w =
      open(path, (S_ISDIR(st.st_mode) ? O_TMPFILE : 0) | O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0600);
  int writable = w >= 0 || (S_ISDIR(st.st_mode) && errno == EOPNOTSUPP && !access(path, W_OK));
  if (w >= 0) close(w);
  snprintf(text, sizeof text, "%s%s", empty ? "empty" : "full", writable ? ",writable" : "");
  return text;
}

static void report_paths(void) {
  static const char* const paths[] = {"/proc/acpi",          "/proc/kcore",
                                      "/proc/keys",          "/proc/latency_stats",
                                      "/proc/sched_debug",   "/proc/scsi",
                                      "/proc/timer_list",    "/proc/timer_stats",
                                      "/proc/interrupts",    "/sys/firmware",
                                      "/sys/fs/selinux",     "/proc/asound",
                                      "/proc/bus",           "/proc/fs",
                                      "/proc/irq",           "/proc/sys/kernel/hostname",
                                      "/proc/sysrq-trigger", "/sys/devices/virtual/powercap"};
  key("paths"), open_with('{');
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) put_text(paths[i], access_of(paths[i]));
  close_with('}');
}

static int report(int argc, char** argv) {
  static const struct {
    const char* name;
    void (*run)(void);
  } sections[] = {{"ids", report_ids},       {"security", report_security},
                  {"limits", report_limits}, {"namespaces", report_namespaces},
                  {"mounts", report_mounts}, {"files", report_files},
                  {"paths", report_paths}};
  open_with('{');
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    int wanted = argc == 0;
    for (int a = 0; a < argc; a++) wanted |= !strcmp(argv[a], sections[i].name);
    if (wanted) sections[i].run();
  }
  close_with('}');
  putchar('\n');
  return 0;
}

static int exit_with(int argc, char** argv) { return argc ? atoi(argv[0]) : 0; }

static int die_by(int argc, char** argv) {
  int sig = argc ? atoi(argv[0]) : SIGKILL;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(sig, SIG_DFL);
  // The init of a pid namespace ignores what it has no handler for, KILL included, when it sends
  // that itself: a child can die by it, and init ends the same way as far as the engine can see.
  if (getpid() == 1) {
    pid_t child = fork();
    if (!child) raise(sig), _exit(0);
    waitpid(child, NULL, 0);
    return 128 + sig;
  }
  raise(sig);
  return 0;
}

static int sleep_for(int argc, char** argv) {
  double s = argc ? atof(argv[0]) : 1e6;
  struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
  signal(SIGTERM, SIG_IGN);
  while (nanosleep(&t, &t) && errno == EINTR) {
  }
  return 0;
}

static int fork_children(int argc, char** argv) {
  int n = argc ? atoi(argv[0]) : 1, made = 0;
  for (; made < n; made++) {
    pid_t pid = fork();
    if (pid < 0) break;
    if (!pid) pause(), _exit(0);
  }
  printf("%d\n", made);
  fflush(stdout);
  if (argc > 1) sleep_for(argc - 1, argv + 1);
  return made == n ? 0 : 1;
}

static int print_lines(int argc, char** argv) {
  int n = argc > 1 ? atoi(argv[1]) : 1, len = argc > 2 ? atoi(argv[2]) : 0;
  FILE* f = argc && !strcmp(argv[0], "stderr") ? stderr : stdout;
  for (int i = 1; i <= n; i++) {
    int used = fprintf(f, "line %d", i);
    for (; used < len; used++) fputc('.', f);
    fputc('\n', f);
  }
  return 0;
}

static int eat_memory(int argc, char** argv) {
  size_t mib = argc ? (size_t)atoi(argv[0]) : 1;
  for (size_t i = 0; i < mib; i++) {
    char* p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return perror("mmap"), 1;
    memset(p, 1, 1 << 20);
  }
  printf("%zu\n", mib);
  return 0;
}

static int write_files(int argc, char** argv) {
  for (int i = 0; i + 1 < argc; i += 2) {
    FILE* f = fopen(argv[i], "we");
    if (!f || fputs(argv[i + 1], f) < 0 || fclose(f)) return perror(argv[i]), 1;
  }
  return 0;
}

static int show_files(int argc, char** argv) {
  int rc = 0;
  open_with('{');
  for (int i = 0; i < argc; i++) {
    char* text = slurp(argv[i]);
    put_text(argv[i], text ? text : strerror(errno));
    if (!text) rc = 1;
  }
  close_with('}');
  putchar('\n');
  return rc;
}

// Prints "ready", then each signal's number as it arrives; TERM (or the signal given) ends it with
// 0.
static int trap_signals(int argc, char** argv) {
  int last = argc ? atoi(argv[0]) : SIGTERM;
  sigset_t set;
  sigfillset(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  for (int sig; !sigwait(&set, &sig);) {
    if (sig == SIGCHLD) continue;
    printf("signal %d\n", sig);
    if (sig == last) return 0;
  }
  return 1;
}

// "NAME=errno" of system calls that a profile may refuse; 0 when it was let through.
static int try_calls(int argc, char** argv) {
  static const struct {
    const char* name;
    long number, a, b, c;
  } calls[] = {
      {"keyctl", SYS_keyctl, 0, 0, 0},         {"bpf", SYS_bpf, 5, 0, 0},
      {"reboot", SYS_reboot, 0, 0, 0},         {"ptrace", SYS_ptrace, 0, 0, 0},
      {"kexec_load", SYS_kexec_load, 0, 0, 0}, {"io_uring_setup", SYS_io_uring_setup, 1, 0, 0},
      {"af_vsock", SYS_socket, 40, 1, 0},      {"af_inet", SYS_socket, 2, 1, 0},
      {"swapon", SYS_swapon, 0, 0, 0},         {"no_such_call", 9999, 0, 0, 0}};
  open_with('{');
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    int wanted = argc == 0;
    for (int a = 0; a < argc; a++) wanted |= !strcmp(argv[a], calls[i].name);
    if (!wanted) continue;
    long rc = syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, 0, 0, 0);
    put_number(calls[i].name, rc < 0 ? errno : 0);
  }
  close_with('}');
  putchar('\n');
  return 0;
}

// The descriptor gets the number that the test looks for, whatever was inherited.
static int hold_lock(int argc, char** argv) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int fd = argc == 1 ? open(argv[0], O_RDWR) : -1;
  if (fd < 0 || dup2(fd, 3) < 0 || fcntl(3, F_OFD_SETLKW, &lock) < 0) {
    perror("lock");
    return 1;
  }
  for (;;) pause();
}

static int usage(int argc, char** argv);

static const struct {
  const char* name;
  int (*run)(int, char**);
  const char* help;
} verbs[] = {
    {"report", report,
     "[ids|security|limits|namespaces|mounts|files|paths]...: JSON of what is seen (default: all)"},
    {"exit", exit_with, "N: exit with N"},
    {"die", die_by,
     "SIGNAL: be killed by it (as pid 1: a child is, and 128+SIGNAL is the exit code)"},
    {"sleep", sleep_for, "[SECONDS]: sleep, ignoring TERM"},
    {"fork", fork_children, "N [SECONDS]: fork N children, print how many could be made, sleep"},
    {"print", print_lines, "stdout|stderr N [LENGTH]: print N numbered lines"},
    {"eat", eat_memory, "MIB: touch so much memory"},
    {"write", write_files, "FILE TEXT [FILE TEXT]...: write files"},
    {"show", show_files, "FILE...: JSON of their contents (sysctls too)"},
    {"lock", hold_lock,
     "FILE: hold an open-file-description lock on it as descriptor 3, until killed"},
    {"trap", trap_signals, "[LAST]: print signals until LAST (15) comes"},
    {"calls", try_calls, "[NAME]...: JSON of the errno of system calls that may be refused"},
    {"help", usage, ": this text"},
};

static int usage(int argc, char** argv) {
  (void)argc, (void)argv;
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    printf("probe %s %s\n", verbs[i].name, verbs[i].help);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return report(0, NULL);
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (!strcmp(argv[1], verbs[i].name)) return verbs[i].run(argc - 2, argv + 2);
  fprintf(stderr, "probe: no verb %s\n", argv[1]);
  return 2;
}
