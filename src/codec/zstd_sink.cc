#include <zstd.h>

#include <vector>

#include "base/str.h"
#include "codec/compress.h"

namespace minke {

constexpr int kThreads = 2, kJob = 4 << 20;

struct ZstdSink::State {
  ByteSink* output;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::vector<char> buffer = std::vector<char>(256 << 10);
};

ZstdSink::ZstdSink(ByteSink& output, int level) : state_(std::make_unique<State>()) {
  state_->output = &output;
  ZSTD_CCtx_setParameter(state_->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(state_->context, ZSTD_c_checksumFlag, 1);
  // Of jobs of one size the bytes are the same however many threads there are. A library that was
  // built without threads refuses both, and works on its own.
  ZSTD_CCtx_setParameter(state_->context, ZSTD_c_nbWorkers, kThreads);
  ZSTD_CCtx_setParameter(state_->context, ZSTD_c_jobSize, kJob);
}
ZstdSink::~ZstdSink() { ZSTD_freeCCtx(state_->context); }

Status ZstdSink::run(std::string_view bytes, bool end) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{state_->buffer.data(), state_->buffer.size(), 0};
    std::size_t left =
        ZSTD_compressStream2(state_->context, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0)
      return Error(Errc::internal, concat("zstd: ", ZSTD_getErrorName(left)));
    if (out.pos != 0) TRY(state_->output->write({state_->buffer.data(), out.pos}));
    if (end ? left == 0 : in.pos == in.size) return {};
  }
}

Status ZstdSink::write(std::string_view bytes) { return run(bytes, false); }
Status ZstdSink::finish() { return run({}, true); }

}  // namespace minke
