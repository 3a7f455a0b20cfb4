// The init of `--init`: `minke-init [--] COMMAND [ARG...]` as process 1 of a container. It starts
// COMMAND in its own process group, hands every signal on to it, reaps whatever is left to process
// 1, and ends as COMMAND did: its exit code, or 128+n for a signal. It runs from any image, so it
// is static; it is in every container that asks for it, so it is without a C library: a few pages.
// `minke-init --hold` only waits: the process that keeps the user namespace of an ordinary user's
// login.
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>
#include <stddef.h>

#define CHILD_FLAGS SIGCHLD
#define NO_WAIT 1              // WNOHANG
#define SET_FOREGROUND 0x5410  // TIOCSPGRP
#define ALL_SIGNALS (~0UL)

static long call(long number, long a, long b, long c, long d) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "minke-init knows the system calls of x86_64 and aarch64"
#endif
}

static size_t length(const char* text) {
  size_t n = 0;
  while (text[n] != '\0') n++;
  return n;
}

static void say(const char* text) { call(__NR_write, 2, (long)text, (long)length(text), 0); }

__attribute__((noreturn)) static void leave(int code) {
  for (;;) call(__NR_exit_group, code, 0, 0, 0);
}

static const char* find_variable(char** env, const char* name) {
  size_t n = length(name);
  for (; *env != NULL; env++) {
    size_t i = 0;
    while (i < n && (*env)[i] == name[i]) i++;
    if (i == n && (*env)[n] == '=') return *env + n + 1;
  }
  return NULL;
}

// execve along PATH, as execvp(3) does it. Returns only on failure: the errno that says most.
static long run_command(char** argv, char** env) {
  const char* name = argv[0];
  for (const char* c = name; *c != '\0'; c++)
    if (*c == '/') return call(__NR_execve, (long)name, (long)argv, (long)env, 0);
  const char* path = find_variable(env, "PATH");
  if (path == NULL) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  long failure = -ENOENT;
  char full[4096];
  while (*name != '\0') {
    size_t n = 0;
    while (path[n] != '\0' && path[n] != ':') n++;
    size_t used = 0, size = length(name);
    if (n + size + 2 <= sizeof full) {
      for (size_t i = 0; i < n; i++) full[used++] = path[i];
      full[used++] = n == 0 ? '.' : '/';
      if (n == 0) full[used++] = '/';
      for (size_t i = 0; i <= size; i++) full[used++] = name[i];
      long result = call(__NR_execve, (long)full, (long)argv, (long)env, 0);
      if (result != -ENOENT && result != -ENOTDIR) failure = result;
    }
    if (path[n] == '\0') break;
    path += n + 1;
  }
  return failure;
}

__attribute__((noreturn)) static void child_main(char** argv, char** env, unsigned long mask) {
  // A group of its own, in the foreground when there is a terminal: ctrl-c reaches it and not
  // process 1. SIGTTOU is still blocked here, which lets a background process take the terminal.
  call(__NR_setpgid, 0, 0, 0, 0);
  int group = (int)call(__NR_getpid, 0, 0, 0, 0);
  call(__NR_ioctl, 0, SET_FOREGROUND, (long)&group, 0);
  call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask);
  long failure = run_command(argv, env);
  say("minke-init: ");
  say(argv[0]);
  say(failure == -ENOENT ? ": not found\n" : ": cannot be run\n");
  leave(failure == -ENOENT ? 127 : 126);
}

// Reaps all that ended; ends with `main_pid`.
static void reap(long main_pid) {
  int status;
  long pid;
  while ((pid = call(__NR_wait4, -1, (long)&status, NO_WAIT, 0)) > 0)
    if (pid == main_pid) leave((status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f));
}

static int is_hold(const char* word) {
  const char* hold = "--hold";
  while (*hold != '\0' && *word == *hold) word++, hold++;
  return *hold == *word;
}

__attribute__((noreturn, used)) static void init_main(long* stack) {
  int argc = (int)stack[0];
  char** argv = (char**)(stack + 1);
  char** env = argv + argc + 1;
  int first = 1;
  if (argc == 2 && is_hold(argv[1]))
    for (;;) call(__NR_ppoll, 0, 0, 0, 0);
  if (first < argc && argv[first][0] == '-' && argv[first][1] == '-' && argv[first][2] == '\0')
    first++;
  if (first >= argc) {
    say("minke-init: no command\n");
    leave(125);
  }
  unsigned long all = ALL_SIGNALS, before = 0;
  call(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all);
  long pid = call(__NR_clone, CHILD_FLAGS, 0, 0, 0);
  if (pid == 0) child_main(argv + first, env, before);
  if (pid < 0) {
    say("minke-init: cannot fork\n");
    leave(125);
  }
  for (;;) {
    long signal = call(__NR_rt_sigtimedwait, (long)&all, 0, 0, sizeof all);
    if (signal == SIGCHLD)
      reap(pid);
    else if (signal > 0 && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU)
      call(__NR_kill, pid, signal, 0, 0);
  }
}

#if defined(__x86_64__)
__asm__(
    ".globl _start\n_start:\n"
    "  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call init_main\n");
#else
__asm__(
    ".globl _start\n_start:\n"
    "  mov x29, #0\n  mov x0, sp\n  bl init_main\n");
#endif
