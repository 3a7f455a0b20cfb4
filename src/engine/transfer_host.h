// A registry as minke-transfer is told of it.
#pragma once

#include <vector>

#include "engine/registries.h"
#include "store/transfer_protocol.h"

namespace minke::engine {

store::TransferHost transfer_host(const RegistryHost& host);
// Tries and the time between them, as the command was told.
void set_retries(const RegistryAccess& access, store::TransferRequest* request);

}  // namespace minke::engine
