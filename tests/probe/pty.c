// pty [ROWSxCOLUMNS] COMMAND [ARG...]: runs it on a terminal of its own. Standard input is typed
// there, what appears is printed; the end of standard input is not typed. Exit code: the command's,
// 128+N after signal N.
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  struct winsize size = {24, 80, 0, 0};
  int first = 1, master;
  if (argc > 1 && sscanf(argv[1], "%hux%hu", &size.ws_row, &size.ws_col) == 2) first = 2;
  if (argc <= first) return 2;
  pid_t pid = forkpty(&master, NULL, NULL, &size);
  if (pid < 0) return perror("forkpty"), 2;
  if (pid == 0) {
    execvp(argv[first], argv + first);
    perror(argv[first]);
    _exit(127);
  }
  struct pollfd fds[2] = {{0, POLLIN, 0}, {master, POLLIN, 0}};
  char buf[4096];
  while (poll(fds, 2, -1) > 0 || errno == EINTR) {
    if (fds[1].revents) {
      ssize_t n = read(master, buf, sizeof buf);
      if (n <= 0) break;  // EIO: nobody has the terminal open any more
      if (write(1, buf, (size_t)n) < 0) break;
    }
    if (fds[0].revents) {
      ssize_t n = read(0, buf, sizeof buf);
      if (n <= 0)
        fds[0].fd = -1;
      else if (write(master, buf, (size_t)n) < 0)
        break;
    }
  }
  int status;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
