// reap [-t SECONDS] [-g SECONDS] [-a NAME]... -- COMMAND [ARG...]
//
// Runs one test and owns everything it leaves behind. As child subreaper this process inherits each
// daemon that a test starts, however often that forked, so a forgotten supervisor is seen by name.
// Exit code: the command's own; 124 when it was ended after SECONDS; 99 when it succeeded but
// processes were still there after the grace time (-g, 5 s). All that remains is killed.
// -a NAME: a process of this name, or with this word in its command line, may stay (it is killed
// without a complaint); a rootless engine keeps one process to hold the user's namespaces.
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMaxProcs = 4096, kMaxAllowed = 16 };

static const char* allowed[kMaxAllowed];
static int allowed_count;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t read_file(const char* path, char* buf, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
  if (fd >= 0) close(fd);
  buf[n > 0 ? n : 0] = 0;
  return n > 0 ? (size_t)n : 0;
}

// All live descendants, parents before children. /proc/PID/stat is used, since
// /proc/PID/task/TID/children depends on a kernel option. Zombies do not count.
static int descendants(pid_t* out) {
  static pid_t pids[kMaxProcs * 4], parents[kMaxProcs * 4];
  int n = 0, found = 0;
  DIR* dir = opendir("/proc");
  if (!dir) return 0;
  for (struct dirent* e; (e = readdir(dir)) && n < kMaxProcs * 4;) {
    if (!isdigit((unsigned char)e->d_name[0])) continue;
    char path[300], stat[1024], state;
    int ppid;
    snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
    if (!read_file(path, stat, sizeof stat)) continue;
    char* end = strrchr(stat, ')');
    if (!end || sscanf(end + 1, " %c %d", &state, &ppid) != 2 || state == 'Z') continue;
    pids[n] = atoi(e->d_name);
    parents[n++] = ppid;
  }
  closedir(dir);
  for (int from = -1; from < found; from++) {
    pid_t parent = from < 0 ? getpid() : out[from];
    for (int i = 0; i < n && found < kMaxProcs; i++)
      if (parents[i] == parent) out[found++] = pids[i];
  }
  return found;
}

static void describe(pid_t pid, char* comm, char* cmdline, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  size_t n = read_file(path, comm, 64);
  if (n) comm[n - 1] = 0;
  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  n = read_file(path, cmdline, size);
  for (size_t i = 0; i + 1 < n; i++)
    if (!cmdline[i]) cmdline[i] = ' ';
}

static int is_allowed(const char* comm, const char* cmdline) {
  for (int i = 0; i < allowed_count; i++)
    if (!strcmp(comm, allowed[i]) || strstr(cmdline, allowed[i])) return 1;
  return 0;
}

static int count_unwanted(int print) {
  static pid_t pids[kMaxProcs];
  int n = descendants(pids), unwanted = 0;
  for (int i = 0; i < n; i++) {
    char comm[64], cmdline[512];
    describe(pids[i], comm, cmdline, sizeof cmdline);
    if (!comm[0] || is_allowed(comm, cmdline)) continue;  // without a name: gone since
    unwanted++;
    if (print) fprintf(stderr, "left behind: process %d (%s) %s\n", pids[i], comm, cmdline);
  }
  return unwanted;
}

static void kill_all(void) {
  static pid_t pids[kMaxProcs];
  for (double end = now() + 10; now() < end;) {
    int n = descendants(pids);
    for (int i = 0; i < n; i++) kill(pids[i], SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    if (!n) return;
    usleep(20000);
  }
}

int main(int argc, char** argv) {
  double limit = 300, grace = 5;
  int opt;
  while ((opt = getopt(argc, argv, "+t:g:a:")) != -1) {
    if (opt == 't')
      limit = atof(optarg);
    else if (opt == 'g')
      grace = atof(optarg);
    else if (opt == 'a' && allowed_count < kMaxAllowed)
      allowed[allowed_count++] = optarg;
    else
      return 2;
  }
  if (optind >= argc) return 2;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);

  pid_t child = fork();
  if (child == 0) {
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setsid();
    execvp(argv[optind], argv + optind);
    perror(argv[optind]);
    _exit(127);
  }
  int rc = -1;
  for (double end = now() + limit; rc < 0;) {
    struct timespec wait = {0, 200000000};
    int sig = sigtimedwait(&set, NULL, &wait);
    if (sig == SIGTERM || sig == SIGINT) rc = 128 + sig;
    if (now() > end) {
      fprintf(stderr, "ended after %.0f s; what ran then:\n", limit);
      count_unwanted(1);
      rc = 124;
    }
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == child) rc = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  if (rc != 124 && rc < 129) {
    for (double end = now() + grace; now() < end && count_unwanted(0);) {
      while (waitpid(-1, NULL, WNOHANG) > 0) {
      }
      usleep(20000);
    }
    if (count_unwanted(1) && rc == 0) rc = 99;
  }
  kill_all();
  return rc;
}
