// The hostile side of the tests in tests/integration/security: what an attacker in a container, or
// a neighbour in a shared folder, would do. Static, libc only, bounded: each verb ends by itself.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// exchange A B [SECONDS]: the two names change places until the time is up or the parent is gone.
static int exchange(int argc, char** argv) {
  if (argc < 2) return 2;
  double end = now() + (argc > 2 ? atof(argv[2]) : 60);
  unsigned long done = 0;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  while (now() < end) {
    for (int i = 0; i < 64; i++) done += !renameat2(AT_FDCWD, argv[0], AT_FDCWD, argv[1], 2);
    if (!done) return perror("exchange"), 1;
  }
  return 0;
}

// A directory by descriptor that is not below our root: the kernel says so of the working
// directory.
static int is_outside(int fd) {
  char path[PATH_MAX];
  int here = open(".", O_PATH | O_CLOEXEC), outside = 0;
  if (fchdir(fd) == 0) {
    long n = syscall(SYS_getcwd, path, sizeof path);
    outside = n <= 0 || path[0] != '/';
    if (fchdir(here) < 0) _exit(3);
  }
  close(here);
  return outside;
}

static volatile sig_atomic_t told_to_end;
static void end_lurking(int signal) {
  (void)signal;
  told_to_end = 1;
}

// lurk [SECONDS]: until SIGTERM, at most so long, looks into every process that shows up in our pid
// namespace for a way out of it: folders of another root, the programs of another root,
// descriptors, a tracer's seat. Prints what it found, and at the end how many processes it has
// seen.
static int lurk(int argc, char** argv) {
  double end = now() + (argc ? atof(argv[0]) : 10);
  int seen = 0, last = 0, found = 0;
  struct stat own;
  if (stat("/proc/self/exe", &own)) return 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("ready");
  signal(SIGTERM, end_lurking);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  while (!told_to_end && now() < end) {
    DIR* proc = opendir("/proc");
    for (struct dirent* d; proc && (d = readdir(proc));) {
      int pid = atoi(d->d_name);
      if (pid <= 0 || pid == getpid()) continue;
      if (pid > last) last = pid, seen++;
      char path[PATH_MAX];
      static const char* const links[] = {"cwd", "root"};
      for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && is_outside(fd)) printf("outside %s\n", path), found++;
        if (fd >= 0) close(fd);
      }
      snprintf(path, sizeof path, "/proc/%d/fd", pid);
      DIR* fds = opendir(path);
      for (struct dirent* f; fds && (f = readdir(fds));) {
        if (f->d_name[0] == '.') continue;
        int fd = openat(dirfd(fds), f->d_name, O_PATH | O_CLOEXEC);
        struct stat st;
        if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode) && is_outside(fd))
          printf("outside %s/%s\n", path, f->d_name), found++;
        if (fd >= 0) close(fd);
      }
      if (fds) closedir(fds);
      snprintf(path, sizeof path, "/proc/%d/exe", pid);
      int fd = open(path, O_WRONLY | O_CLOEXEC);
      if (fd >= 0) printf("writable %s\n", path), found++, close(fd);
    }
    if (proc) closedir(proc);
  }
  printf("seen %d\n", seen);
  return found != 0;
}

// A 32-bit call from a 64-bit program. What it points to must lie below 4 GiB: this program is not
// position independent, so its data does.
static long call32(long number, long a, long b, long c) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c)
                   : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
#else
  (void)number, (void)a, (void)b, (void)c;
  return -ENOSYS;
#endif
}

static uint32_t socketcall_arguments[3];

// SOCK_SEQPACKET for the kernel's crypto, streams otherwise.
static int type_of(int family) { return family == 38 ? 5 : 1; }

static long by_call(int family) {
  long fd = syscall(SYS_socket, family, type_of(family), 0);
  return fd < 0 ? -errno : fd;
}
static long by_i386(int family) { return call32(359, family, type_of(family), 0); }
static long by_socketcall(int family) {
  socketcall_arguments[0] = (uint32_t)family;
  socketcall_arguments[1] = (uint32_t)type_of(family);
  return call32(102, 1 /* SYS_SOCKET */, (long)socketcall_arguments, 0);
}
static long by_x32(int family) {
#ifdef __x86_64__
  long fd = syscall(0x40000000 + SYS_socket, family, type_of(family), 0);
  return fd < 0 ? -errno : fd;
#else
  (void)family;
  return -ENOSYS;
#endif
}
static long by_pair(int family) {
  int pair[2];
  return syscall(SYS_socketpair, family, type_of(family), 0, pair) < 0 ? -errno : pair[0];
}

// A type with bits that are no flags: the kernel answers EINVAL before it looks at the family, a
// filter what it answers to the family.
static long by_filter(int family) {
  long fd = syscall(SYS_socket, family, -1, 0);
  return fd < 0 ? -errno : fd;
}

// sockets: JSON of family and way to the errno, 0 when a socket came back. In a child each, since a
// way may be answered by a signal.
static int sockets(int argc, char** argv) {
  (void)argc, (void)argv;
  static const struct {
    const char* name;
    int family;
  } families[] = {{"unix", 1}, {"inet", 2}, {"alg", 38}, {"vsock", 40}};
  static const struct {
    const char* name;
    long (*call)(int);
  } ways[] = {{"socket", by_call},           {"socketpair", by_pair}, {"i386", by_i386},
              {"socketcall", by_socketcall}, {"x32", by_x32},         {"filter", by_filter}};
  putchar('{');
  for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
    printf("%s\"%s\":{", f ? "," : "", families[f].name);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
      fflush(stdout);
      pid_t pid = fork();
      if (!pid) {
        long fd = ways[w].call(families[f].family);
        _exit(fd >= 0 ? 0 : (int)-fd);
      }
      int status = 0;
      waitpid(pid, &status, 0);
      printf("%s\"%s\":%d", w ? "," : "", ways[w].name,
             WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status));
    }
    putchar('}');
  }
  puts("}");
  return 0;
}

// cgroup1: every way to a cgroup file system of one's own, and to its release_agent
// (CVE-2022-0492).
static int cgroup1(int argc, char** argv) {
  (void)argc, (void)argv;
  static const char* const options[] = {"memory", "rdma", "pids", "none,name=attack", "misc"};
  int got = 0;
  for (int own = 0; own < 2; own++) {
    pid_t pid = fork();
    if (!pid) {
      if (own && unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP)) _exit(0);
      char place[] = "/tmp/cgXXXXXX";
      if (!mkdtemp(place)) _exit(0);
      for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!mount("cgroup", place, "cgroup", 0, options[i])) {
          printf("mounted cgroup %s%s\n", options[i], own ? " in a namespace of its own" : "");
          fflush(stdout);
          umount2(place, MNT_DETACH);
          _exit(1);
        }
      _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    got |= status;
  }
  return got != 0;
}

// refused: the numbers of the system calls that answer EPERM, ENOSYS or a signal to arguments that
// are never right. Calls that end, stop or copy the process are left out.
static int refused(int argc, char** argv) {
  (void)argc, (void)argv;
  static const int skipped[] = {
      SYS_pause,        SYS_exit,         SYS_exit_group, SYS_fork,    SYS_vfork,
      SYS_clone,        SYS_rt_sigreturn, SYS_sync,       SYS_vhangup, SYS_restart_syscall,
      SYS_rt_sigsuspend};
  const char* sep = "[";
  for (int number = 0; number < 470; number++) {
    int skip = 0;
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) skip |= skipped[i] == number;
    if (skip || (number > 334 && number < 424)) continue;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
      alarm(1);
      long rc = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
      _exit(rc == -1 && (errno == EPERM || errno == ENOSYS));
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    int no = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGSYS;
    if (no) printf("%s%d", sep, number), sep = ",";
  }
  puts(sep[0] == '[' ? "[]" : "]");
  return 0;
}

static const struct {
  const char* name;
  int (*run)(int, char**);
} verbs[] = {{"exchange", exchange},
             {"lurk", lurk},
             {"sockets", sockets},
             {"cgroup1", cgroup1},
             {"refused", refused}};

int main(int argc, char** argv) {
  for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
    if (!strcmp(argv[1], verbs[i].name)) return verbs[i].run(argc - 2, argv + 2);
  fprintf(stderr, "usage: attack exchange A B [S] | lurk [S] | sockets | cgroup1 | refused\n");
  return 2;
}
