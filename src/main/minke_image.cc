// minke-image: the confined program that reads foreign archives.
#include <unistd.h>

#include "imagework/worker.h"

// _exit: nothing is left to give back, and what would run at exit (LeakSanitizer) cannot see /proc
// from in here.
int main() { ::_exit(minke::imagework::run_worker()); }
