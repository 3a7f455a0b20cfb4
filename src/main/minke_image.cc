// minke-image: the confined program that reads foreign archives.
#include "imagework/worker.h"

int main() { return minke::imagework::run_worker(); }
