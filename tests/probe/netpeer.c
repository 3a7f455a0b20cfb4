// netpeer: both ends of the connections that tests of networks make. TCP and UDP, IPv4 and IPv6.
//   netpeer serve PORT [ADDRESS]     one process; each TCP connection is told what to do by its
//   first line:
//       who        every line is answered with the client's "ADDRESS PORT"
//       count      reads to the end, answers the number of bytes, then closes
//       echo-end   reads to the end, answers with as many bytes, then closes
//       send N     sends N bytes, then closes
//       idle       says nothing; how it ended is printed: "ended ADDRESS eof|ECONNRESET"
//       reset      answers with RST
//     a datagram is answered with "ADDRESS PORT LENGTH"
//   netpeer ask tcp|udp ADDRESS PORT [--from PORT] [--bind ADDRESS] [--size N] [--raw]   prints the
//   answer netpeer connect ADDRESS PORT            prints what connect(2) said: ok, ECONNREFUSED,
//   ... netpeer half ADDRESS PORT N             sends N bytes, its end, and prints how many came
//   back after it netpeer ends ADDRESS PORT LINE [reset]  says LINE, and prints how the connection
//   ended; reset: ends it by RST netpeer burst ADDRESS PORT COUNT [hold] COUNT at once, each must
//   be told its own address and port;
//                                           prints "right R wrong W failed F"; hold: keeps them
//                                           until stdin ends
//   netpeer slow ADDRESS PORT N             asks for N bytes and takes them in small bites; prints
//   the number netpeer open ADDRESS PORT COUNT         like burst, for servers that say nothing:
//   prints "open N failed F" netpeer flood ADDRESS PORT COUNT [BASE] datagrams from COUNT ports
//   (and of addresses 10.x.y.z when BASE is given: spoofed);
//                                           prints the number sent
//   netpeer rate tcp|udp ADDRESS PORT S     round trips per second on one flow;   netpeer crr
//   ADDRESS PORT S   connections netpeer sink PORT | netpeer pour ADDRESS PORT S | netpeer draw
//   ADDRESS PORT S    bytes per second
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char* what) {
  printf("%s: %s\n", what, strerrorname_np(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef struct {
  struct sockaddr_storage a;
  socklen_t n;
} address;

static address parse(const char* host, const char* port) {
  address r = {.n = 0};
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *list;
  if (getaddrinfo(host, port, &hints, &list) != 0) {
    fprintf(stderr, "netpeer: bad address %s %s\n", host, port);
    exit(2);
  }
  memcpy(&r.a, list->ai_addr, list->ai_addrlen);
  r.n = list->ai_addrlen;
  freeaddrinfo(list);
  return r;
}

static int text(const address* a, char* out, size_t room) {
  char host[64], port[8];
  getnameinfo((const void*)&a->a, a->n, host, sizeof host, port, sizeof port,
              NI_NUMERICHOST | NI_NUMERICSERV);
  return snprintf(out, room, "%s %s", host, port);
}

static int make_socket(const address* a, int type) {
  int s = socket(a->a.ss_family, type | SOCK_CLOEXEC, 0), on = 1;
  if (s < 0) die("socket");
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if ((type & 0xf) == SOCK_STREAM) setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return s;
}

static int dial(const char* host, const char* port, int type) {
  address a = parse(host, port);
  int s = make_socket(&a, type);
  struct timeval patience = {20, 0};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(s, (void*)&a.a, a.n) < 0) die("connect");
  return s;
}

static void send_all(int s, const char* data, size_t n) {
  while (n > 0) {
    ssize_t k = send(s, data, n, MSG_NOSIGNAL);
    if (k <= 0) die("send");
    data += k;
    n -= (size_t)k;
  }
}

static void raise_limit(void) {
  struct rlimit l;
  getrlimit(RLIMIT_NOFILE, &l);
  l.rlim_cur = l.rlim_max;
  setrlimit(RLIMIT_NOFILE, &l);
}

static void reset(int s) {
  struct linger none = {1, 0};
  setsockopt(s, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(s);
}

// --- serve

enum { kNew, kWho, kCount, kEcho, kSend, kIdle, kSink };
typedef struct {
  int fd, mode;
  long bytes, left;
  int ended;
  char who[80];
  int who_length;
} peer;

static int ep;
static char block[64 << 10];

static void finish(peer* p, const char* how) {
  if (p->mode == kIdle) printf("ended %.*s %s\n", p->who_length, p->who, how);
  close(p->fd);
  free(p);
}

static void write_left(peer* p) {
  while (p->left > 0) {
    ssize_t k = send(p->fd, block, p->left < (long)sizeof block ? (size_t)p->left : sizeof block,
                     MSG_NOSIGNAL);
    if (k < 0 && errno == EAGAIN) return;
    if (k < 0) return finish(p, "lost");
    p->left -= k;
  }
  finish(p, "done");
}

static int first_line(peer* p, const char* line, size_t n) {
  if (n >= 5 && !memcmp(line, "PROXY", 5)) {  // a header: shown as it came
    p->mode = kWho;
    p->who_length = snprintf(p->who, sizeof p->who, "%.*s", (int)strcspn(line, "\r\n"), line);
  } else if (n >= 12 && !memcmp(line, "\r\n\r\n\0\r\nQUIT\n", 12)) {
    p->mode = kWho;
    p->who_length = snprintf(p->who, sizeof p->who, "v2");
    for (size_t i = 12; i < n && i < 12 + 16 && i < 28; i++)
      p->who_length += snprintf(p->who + p->who_length, sizeof p->who - (size_t)p->who_length,
                                " %02x", (unsigned char)line[i]);
  } else if (!strncmp(line, "count", 5)) {
    p->mode = kCount;
    p->bytes = -6;
  } else if (!strncmp(line, "echo-end", 8)) {
    p->mode = kEcho;
    p->bytes = -9;
  } else if (!strncmp(line, "send ", 5)) {
    p->mode = kSend;
    p->left = atol(line + 5);
  } else if (!strncmp(line, "idle", 4)) {
    p->mode = kIdle;
  } else if (!strncmp(line, "reset", 5)) {
    reset(p->fd);
    free(p);
    return 0;
  } else {
    p->mode = kWho;
  }
  return 1;
}

static void serve_peer(peer* p, unsigned events) {
  if (p->left > 0 || p->mode == kSend) {
    if (events & (EPOLLOUT | EPOLLERR)) write_left(p);
    return;
  }
  for (;;) {
    ssize_t n = recv(p->fd, block, sizeof block - 1, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return finish(p, strerrorname_np(errno));
    if (n == 0) {
      char answer[32];
      if (p->mode == kCount)
        send(p->fd, answer, (size_t)sprintf(answer, "%ld\n", p->bytes), MSG_NOSIGNAL);
      if (p->mode != kEcho) return finish(p, "eof");
      p->left = p->bytes;
      return write_left(p);
    }
    if (p->mode == kNew) {
      block[n] = 0;
      if (!first_line(p, block, (size_t)n)) return;
      if (p->mode == kSend) return write_left(p);
    }
    p->bytes += n;
    if (p->mode == kWho) {
      char answer[100];
      if (send(p->fd, answer, (size_t)sprintf(answer, "%.*s\n", p->who_length, p->who),
               MSG_NOSIGNAL) < 0)
        return finish(p, "lost");
    }
  }
}

static void accept_all(int listener) {
  for (;;) {
    address a = {.n = sizeof a.a};
    int s = accept4(listener, (void*)&a.a, &a.n, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    if (s < 0) return;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer* p = calloc(1, sizeof *p);
    p->fd = s;
    p->who_length = text(&a, p->who, sizeof p->who);
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = p}};
    epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
  }
}

static void answer_datagrams(int s) {
  for (;;) {
    address a = {.n = sizeof a.a};
    char answer[100];
    ssize_t n = recvfrom(s, block, sizeof block, MSG_DONTWAIT, (void*)&a.a, &a.n);
    if (n < 0) return;
    int length = text(&a, answer, sizeof answer);
    length += sprintf(answer + length, " %zd", n);
    sendto(s, answer, (size_t)length, 0, (void*)&a.a, a.n);
  }
}

static int listen_on(const char* host, const char* port, int type) {
  address a = parse(host, port);
  int s = make_socket(&a, type | SOCK_NONBLOCK), on = 1;
  if (a.a.ss_family == AF_INET6) setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(s, (void*)&a.a, a.n) < 0) {
    if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) return -1;
    die("bind");
  }
  if (type == SOCK_STREAM && listen(s, 65535) < 0) die("listen");
  return s;
}

static int serve(const char* port, const char* only) {
  const char* hosts[2] = {only ? only : "0.0.0.0", only ? NULL : "::"};
  static struct { int fd, stream; } own[4];
  int count = 0;
  ep = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < 2 && hosts[i]; i++)
    for (int stream = 0; stream < 2; stream++) {
      int s = listen_on(hosts[i], port, stream ? SOCK_STREAM : SOCK_DGRAM);
      if (s < 0) continue;
      own[count].fd = s;
      own[count].stream = stream;
      struct epoll_event e = {EPOLLIN, {.ptr = &own[count++]}};
      epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
    }
  puts("ready");
  for (;;) {
    struct epoll_event e[64];
    int n = epoll_wait(ep, e, 64, -1);
    for (int i = 0; i < n; i++) {
      char* at = e[i].data.ptr;
      if (at < (char*)own || at >= (char*)(own + 4)) {
        serve_peer((peer*)at, e[i].events);
        continue;
      }
      int k = (int)((at - (char*)own) / (long)sizeof own[0]);
      if (own[k].stream)
        accept_all(own[k].fd);
      else
        answer_datagrams(own[k].fd);
    }
  }
  return 1;
}

// --- clients

static int ask(int argc, char** argv) {
  int type = !strcmp(argv[2], "tcp") ? SOCK_STREAM : SOCK_DGRAM, size = 4, raw = 0;
  const char *from = NULL, *as = NULL;
  for (int i = 5; i < argc; i++) {
    if (!strcmp(argv[i], "--from"))
      from = argv[++i];
    else if (!strcmp(argv[i], "--bind"))
      as = argv[++i];
    else if (!strcmp(argv[i], "--size"))
      size = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--raw"))
      raw = 1;
  }
  address a = parse(argv[3], argv[4]);
  int s = make_socket(&a, type);
  struct timeval patience = {type == SOCK_STREAM ? 20 : 2, 0};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (from || as) {
    address b = parse(as ? as : a.a.ss_family == AF_INET ? "0.0.0.0" : "::", from ? from : "0");
    if (bind(s, (void*)&b.a, b.n) < 0) die("bind");
  }
  // not connected: a datagram's answer may come from another address, and is to be seen
  if (type == SOCK_STREAM && connect(s, (void*)&a.a, a.n) < 0) die("connect");
  memset(block, '.', sizeof block);
  memcpy(block, "who\n", 4);
  if (raw) size = 1;
  for (int attempt = 0; attempt < (type == SOCK_STREAM ? 1 : 3); attempt++) {
    address other = {.n = sizeof other.a};
    if (sendto(s, block, (size_t)size, MSG_NOSIGNAL, type == SOCK_STREAM ? NULL : (void*)&a.a,
               type == SOCK_STREAM ? 0 : a.n) < 0)
      die("send");
    char answer[300];
    ssize_t n = recvfrom(s, answer, sizeof answer - 1, 0, (void*)&other.a, &other.n);
    if (n < 0 && errno == EAGAIN && type != SOCK_STREAM) continue;
    if (n < 0) die("recv");
    if (n == 0) return puts("closed"), 1;
    answer[n] = 0;
    answer[strcspn(answer, "\n")] = 0;
    if (type == SOCK_DGRAM) {
      char want[80], got[80];
      text(&a, want, sizeof want);
      text(&other, got, sizeof got);
      if (strcmp(want, got) != 0) printf("(answer from %s) ", got);
    }
    puts(answer);
    return 0;
  }
  return puts("none"), 1;
}

static int how_connect(char** argv) {
  address a = parse(argv[2], argv[3]);
  int s = make_socket(&a, SOCK_STREAM), few = 2;
  setsockopt(s, IPPROTO_TCP, TCP_SYNCNT, &few, sizeof few);
  if (connect(s, (void*)&a.a, a.n) < 0) return puts(strerrorname_np(errno)), 0;
  // what an accepting proxy may yet say
  struct pollfd f = {s, POLLIN, 0};
  if (poll(&f, 1, 300) == 1 && recv(s, block, 1, 0) < 0)
    return printf("ok, then %s\n", strerrorname_np(errno)), 0;
  return puts("ok"), 0;
}

static int half(char** argv) {
  long n = atol(argv[4]), back = 0;
  int s = dial(argv[2], argv[3], SOCK_STREAM);
  send_all(s, "echo-end\n", 9);
  for (long left = n; left > 0;) {
    size_t k = left < (long)sizeof block ? (size_t)left : sizeof block;
    send_all(s, block, k);
    left -= (long)k;
  }
  shutdown(s, SHUT_WR);
  for (;;) {
    ssize_t k = recv(s, block, sizeof block, 0);
    if (k < 0) die("recv");
    if (k == 0) break;
    back += k;
  }
  printf("%ld\n", back);
  return 0;
}

static int ends(int argc, char** argv) {
  address a = parse(argv[2], argv[3]);
  int s = make_socket(&a, SOCK_STREAM);
  // the end may come before we have noticed the beginning
  if (connect(s, (void*)&a.a, a.n) < 0) return puts(strerrorname_np(errno)), 0;
  if (dprintf(s, "%s\n", argv[4]) < 0) return puts(strerrorname_np(errno)), 0;
  if (argc > 5) {
    usleep(200000);
    return reset(s), 0;
  }
  for (;;) {
    ssize_t n = recv(s, block, sizeof block, 0);
    if (n > 0) continue;
    puts(n == 0 ? "eof" : strerrorname_np(errno));
    return 0;
  }
}

static int slow(char** argv) {
  long got = 0;
  int s = dial(argv[2], argv[3], SOCK_STREAM);
  dprintf(s, "send %s\n", argv[4]);
  sleep(2);  // everything between us is full by now
  for (;;) {
    ssize_t n = recv(s, block, 32 << 10, 0);
    if (n <= 0) break;
    got += n;
    if (got < 2 << 20) usleep(2000);
  }
  printf("%ld\n", got);
  return 0;
}

typedef struct {
  int fd, state;
  char want[80];
} try_one;

static int burst(int argc, char** argv, int silent) {
  int count = atoi(argv[4]), right = 0, wrong = 0, failed = 0, open_now = 0, pending = count;
  address a = parse(argv[2], argv[3]);
  try_one* all = calloc((size_t)count, sizeof *all);
  raise_limit();
  ep = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < count; i++) {
    all[i].fd = make_socket(&a, SOCK_STREAM | SOCK_NONBLOCK);
    if (connect(all[i].fd, (void*)&a.a, a.n) < 0 && errno != EINPROGRESS) {
      failed++, pending--;
      continue;
    }
    struct epoll_event e = {EPOLLOUT, {.ptr = &all[i]}};
    epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &e);
  }
  double until = now() + 60;
  while (pending > 0 && now() < until) {
    struct epoll_event e[256];
    int n = epoll_wait(ep, e, 256, 1000);
    for (int i = 0; i < n; i++) {
      try_one* t = e[i].data.ptr;
      struct epoll_event next = {EPOLLIN, {.ptr = t}};
      if (t->state == 0) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        address own = {.n = sizeof own.a};
        getsockname(t->fd, (void*)&own.a, &own.n);
        text(&own, t->want, sizeof t->want);
        if (error != 0 || (!silent && send(t->fd, "who\n", 4, MSG_NOSIGNAL) != 4)) {
          failed++, pending--;
          epoll_ctl(ep, EPOLL_CTL_DEL, t->fd, NULL);
          close(t->fd);
          continue;
        }
        open_now++;
        t->state = 1;
        if (silent) {
          pending--;
          epoll_ctl(ep, EPOLL_CTL_DEL, t->fd, NULL);
        } else {
          epoll_ctl(ep, EPOLL_CTL_MOD, t->fd, &next);
        }
        continue;
      }
      char answer[100];
      ssize_t k = recv(t->fd, answer, sizeof answer - 1, 0);
      if (k <= 0) {
        failed++;
      } else {
        answer[k] = 0;
        answer[strcspn(answer, "\n")] = 0;
        if (!strcmp(answer, t->want))
          right++;
        else if (wrong++ == 0)
          printf("want %s got %s\n", t->want, answer);
      }
      pending--;
      epoll_ctl(ep, EPOLL_CTL_DEL, t->fd, NULL);
    }
  }
  if (silent)
    printf("open %d failed %d\n", open_now, failed + pending);
  else
    printf("right %d wrong %d failed %d\n", right, wrong, failed + pending);
  if (argc > 5) {
    char c;
    while (read(0, &c, 1) > 0) {
    }
  }
  return 0;
}

static int flood(int argc, char** argv) {
  int count = atoi(argv[4]), sent = 0;
  address a = parse(argv[2], argv[3]);
  raise_limit();
  for (int i = 0; i < count; i++) {
    int s = make_socket(&a, SOCK_DGRAM);
    if (argc > 5) {  // a range of addresses that is local to this host (ip route add local)
      char host[64];
      unsigned n = (unsigned)i;
      snprintf(host, sizeof host, "%s.%u.%u.%u", argv[5], n >> 16 & 255, n >> 8 & 255,
               (n & 255) | 1);
      address b = parse(host, "0");
      int on = 1;
      setsockopt(s, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
      if (bind(s, (void*)&b.a, b.n) < 0) die("bind");
    }
    if (sendto(s, "x", 1, 0, (void*)&a.a, a.n) == 1) sent++;
    close(s);
    if (i % 64 == 63) usleep(500);
  }
  printf("%d\n", sent);
  return 0;
}

// --- rates

static int rate(char** argv) {
  int s = dial(argv[3], argv[4], !strcmp(argv[2], "tcp") ? SOCK_STREAM : SOCK_DGRAM);
  double begin = now(), until = begin + atof(argv[5]);
  long n = 0;
  while (now() < until) {
    if (send(s, "who\n", 4, MSG_NOSIGNAL) < 0 || recv(s, block, sizeof block, 0) <= 0) die("rate");
    n++;
  }
  printf("%.0f\n", (double)n / (now() - begin));
  return 0;
}

static int crr(char** argv) {
  address a = parse(argv[2], argv[3]);
  double begin = now(), until = begin + atof(argv[4]);
  long n = 0, bad = 0;
  while (now() < until) {
    int s = make_socket(&a, SOCK_STREAM);
    if (connect(s, (void*)&a.a, a.n) < 0 || send(s, "who\n", 4, MSG_NOSIGNAL) < 0 ||
        recv(s, block, sizeof block, 0) <= 0)
      bad++;
    else
      n++;
    close(s);
  }
  printf("%.0f bad %ld\n", (double)n / (now() - begin), bad);
  return 0;
}

// The first byte says which way: 'p' pours into us, 'd' draws from us.
static int sink(const char* port) {
  int s = listen_on("::", port, SOCK_STREAM), off = 0;
  setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  int s4 = listen_on("0.0.0.0", port, SOCK_STREAM);
  signal(SIGCHLD, SIG_IGN);
  puts("ready");
  static char large[256 << 10];
  for (;;) {
    struct pollfd f[2] = {{s, POLLIN, 0}, {s4, POLLIN, 0}};
    poll(f, 2, -1);
    int c = accept(f[0].revents ? s : s4, NULL, NULL);
    if (c < 0) continue;
    if (fork() != 0) {
      close(c);
      continue;
    }
    char way;
    if (recv(c, &way, 1, 0) == 1)
      while ((way == 'p' ? recv(c, large, sizeof large, 0)
                         : send(c, large, sizeof large, MSG_NOSIGNAL)) > 0) {
      }
    _exit(0);
  }
}

static int stream(char** argv, char way) {
  static char large[256 << 10];
  int s = dial(argv[2], argv[3], SOCK_STREAM);
  send_all(s, &way, 1);
  double begin = now(), until = begin + atof(argv[4]);
  double n = 0;
  while (now() < until) {
    ssize_t k =
        way == 'p' ? send(s, large, sizeof large, MSG_NOSIGNAL) : recv(s, large, sizeof large, 0);
    if (k <= 0) die("stream");
    n += (double)k;
  }
  printf("%.0f\n", n / (now() - begin));
  return 0;
}

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char* verb = argc > 1 ? argv[1] : "";
  raise_limit();
  if (!strcmp(verb, "serve") && argc >= 3) return serve(argv[2], argc > 3 ? argv[3] : NULL);
  if (!strcmp(verb, "ask") && argc >= 5) return ask(argc, argv);
  if (!strcmp(verb, "connect") && argc == 4) return how_connect(argv);
  if (!strcmp(verb, "half") && argc == 5) return half(argv);
  if (!strcmp(verb, "ends") && argc >= 5) return ends(argc, argv);
  if (!strcmp(verb, "slow") && argc == 5) return slow(argv);
  if (!strcmp(verb, "burst") && argc >= 5) return burst(argc, argv, 0);
  if (!strcmp(verb, "open") && argc >= 5) return burst(argc, argv, 1);
  if (!strcmp(verb, "flood") && argc >= 5) return flood(argc, argv);
  if (!strcmp(verb, "rate") && argc == 6) return rate(argv);
  if (!strcmp(verb, "crr") && argc == 5) return crr(argv);
  if (!strcmp(verb, "sink") && argc == 3) return sink(argv[2]);
  if (!strcmp(verb, "pour") && argc == 5) return stream(argv, 'p');
  if (!strcmp(verb, "draw") && argc == 5) return stream(argv, 'd');
  fprintf(stderr, "netpeer: see the beginning of netpeer.c\n");
  return 2;
}
