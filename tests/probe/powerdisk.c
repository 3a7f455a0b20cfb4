// A disk that remembers the order of everything written to it, for power-cut tests.
//
//   powerdisk serve IMAGE LOG MOUNTPOINT   serves MOUNTPOINT/disk with the content of IMAGE; each
//   write and each
//                                          flush goes to LOG. In the foreground until it is
//                                          unmounted.
//   powerdisk barriers LOG                 the number of flushes in LOG
//   powerdisk cut LOG IMAGE N SEED         applies to IMAGE all writes up to flush N (0: none).
//   With a SEED other than 0
//                                          also some of those between N and N + 1, as a disk with a
//                                          cache may have written them when the power went, in no
//                                          order.
//
// A loop device on MOUNTPOINT/disk hands the file system's flushes on as fsync, so LOG has what a
// real disk would have seen.
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <linux/falloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kWrite = 1, kFlush = 2 };
struct record {
  uint32_t kind, length;
  uint64_t offset;
};

static int image = -1, record_log = -1;
static off_t size;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static int keep(uint32_t kind, const char* data, size_t length, off_t offset) {
  struct record r = {kind, (uint32_t)length, (uint64_t)offset};
  if (write(record_log, &r, sizeof r) != sizeof r) return -EIO;
  if (length != 0 && write(record_log, data, length) != (ssize_t)length) return -EIO;
  return 0;
}

static int do_getattr(const char* path, struct stat* st, struct fuse_file_info* file) {
  (void)file;
  memset(st, 0, sizeof *st);
  st->st_nlink = 1;
  if (strcmp(path, "/") == 0) {
    st->st_mode = S_IFDIR | 0700;
  } else if (strcmp(path, "/disk") == 0) {
    st->st_mode = S_IFREG | 0600;
    st->st_size = size;
  } else {
    return -ENOENT;
  }
  return 0;
}
static int do_open(const char* path, struct fuse_file_info* file) {
  (void)file;
  return strcmp(path, "/disk") == 0 ? 0 : -ENOENT;
}
static int do_read(const char* path, char* data, size_t length, off_t offset,
                   struct fuse_file_info* file) {
  (void)path, (void)file;
  ssize_t n = pread(image, data, length, offset);
  return n < 0 ? -errno : (int)n;
}
static int do_write(const char* path, const char* data, size_t length, off_t offset,
                    struct fuse_file_info* file) {
  (void)path, (void)file;
  if (pwrite(image, data, length, offset) != (ssize_t)length) return -EIO;
  int kept = keep(kWrite, data, length, offset);
  return kept < 0 ? kept : (int)length;
}
static int do_fsync(const char* path, int only_data, struct fuse_file_info* file) {
  (void)path, (void)only_data, (void)file;
  return keep(kFlush, NULL, 0, 0);
}
// Discards and write-zeroes of the block layer.
static int do_fallocate(const char* path, int mode, off_t offset, off_t length,
                        struct fuse_file_info* file) {
  static const char zeros[1 << 16];
  if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) == 0) return 0;
  while (length > 0) {
    size_t part = length < (off_t)sizeof zeros ? (size_t)length : sizeof zeros;
    int written = do_write(path, zeros, part, offset, file);
    if (written < 0) return written;
    offset += (off_t)part, length -= (off_t)part;
  }
  return 0;
}

static int serve(char* program, const char* image_path, const char* log_path, char* mountpoint) {
  static const struct fuse_operations operations = {.getattr = do_getattr,
                                                    .open = do_open,
                                                    .read = do_read,
                                                    .write = do_write,
                                                    .fsync = do_fsync,
                                                    .fallocate = do_fallocate};
  struct stat st;
  image = open(image_path, O_RDWR | O_CLOEXEC);
  record_log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (image < 0 || record_log < 0 || fstat(image, &st) < 0) fail(image_path);
  size = st.st_size;
  // One thread, so that the order in the log is the order on the disk.
  char* argv[] = {program, "-f", "-s", mountpoint, NULL};
  return fuse_main(4, argv, &operations, NULL);
}

// Reads the next record; its data into `data`. 0 at the end.
static int next_record(FILE* in, struct record* r, char** data, size_t* room) {
  if (fread(r, sizeof *r, 1, in) != 1) return 0;
  if (r->length > *room) {
    *room = r->length;
    *data = realloc(*data, *room);
    if (*data == NULL) fail("realloc");
  }
  return r->length == 0 || fread(*data, r->length, 1, in) == 1;
}

static long walk(const char* log_path, int out, long until, unsigned seed) {
  FILE* in = fopen(log_path, "re");
  if (in == NULL) fail(log_path);
  struct record r;
  char* data = NULL;
  size_t room = 0;
  long flushes = 0;
  srandom(seed);
  while (next_record(in, &r, &data, &room)) {
    if (r.kind == kFlush) {
      if (++flushes > until) break;
      continue;
    }
    if (out < 0 || (flushes == until && (seed == 0 || random() % 2 == 0))) continue;
    if (pwrite(out, data, r.length, (off_t)r.offset) != (ssize_t)r.length) fail("write the image");
  }
  free(data);
  fclose(in);
  return flushes;
}

int main(int argc, char** argv) {
  if (argc == 5 && strcmp(argv[1], "serve") == 0) return serve(argv[0], argv[2], argv[3], argv[4]);
  if (argc == 3 && strcmp(argv[1], "barriers") == 0) {
    printf("%ld\n", walk(argv[2], -1, 1L << 40, 0));
    return 0;
  }
  if (argc == 6 && strcmp(argv[1], "cut") == 0) {
    int out = open(argv[3], O_WRONLY | O_CLOEXEC);
    if (out < 0) fail(argv[3]);
    walk(argv[2], out, atol(argv[4]), (unsigned)atol(argv[5]));
    return close(out);
  }
  fprintf(stderr,
          "usage: powerdisk serve IMAGE LOG MOUNTPOINT | barriers LOG | cut LOG IMAGE N SEED\n");
  return 2;
}
