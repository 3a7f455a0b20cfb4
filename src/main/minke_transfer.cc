// minke-transfer: the confined program that speaks with registries.
#include <unistd.h>

#include "transfer/worker.h"

// _exit: nothing is left to give back but what the kernel takes anyway.
int main() { ::_exit(minke::transfer::run_transfer()); }
