// timeit [-n RUNS] [-w WARMUP] [-x CODE] COMMAND [ARG...]: runs it again and again, its output
// thrown away, and prints "MEDIAN MINIMUM" in milliseconds. Small on purpose: a shell's fork costs
// as much as the commands that are measured here. Another exit code than CODE (0) ends it with 1.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  int runs = 20, warmup = 2, want = 0, opt;
  while ((opt = getopt(argc, argv, "+n:w:x:")) != -1) {
    if (opt == 'n')
      runs = atoi(optarg);
    else if (opt == 'w')
      warmup = atoi(optarg);
    else if (opt == 'x')
      want = atoi(optarg);
    else
      return 2;
  }
  if (optind >= argc || runs < 1) return 2;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  double* times = calloc((size_t)runs, sizeof *times);
  for (int i = -warmup; i < runs; i++) {
    pid_t pid;
    int status;
    double start = now_ms();
    if (posix_spawnp(&pid, argv[optind], &files, NULL, argv + optind, environ))
      return perror(argv[optind]), 1;
    waitpid(pid, &status, 0);
    double took = now_ms() - start;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (code != want) return fprintf(stderr, "timeit: %s: exit code %d\n", argv[optind], code), 1;
    if (i >= 0) times[i] = took;
  }
  qsort(times, (size_t)runs, sizeof *times, by_value);
  double median = runs % 2 ? times[runs / 2] : (times[runs / 2 - 1] + times[runs / 2]) / 2;
  printf("%.2f %.2f\n", median, times[0]);
  return 0;
}
