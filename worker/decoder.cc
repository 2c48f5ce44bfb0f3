#include "worker/decoder.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <new>
#include <span>
#include <string>
#include <variant>

#include "proto/ascii.h"

namespace fetchline {
namespace {

struct Step {
  std::size_t used = 0;
  std::size_t made = 0;
  enum class Then : std::uint8_t { more, ended, broken } then = Then::more;
};

class Inflater {
 public:
  explicit Inflater(Coding coding) : is_gzip_(coding == Coding::gzip) {}

  Step step(std::string_view in, std::span<char> out) {
    if (!stream_) start(in);
    if (!stream_) return {};
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_->avail_in = static_cast<uInt>(in.size());
    stream_->next_out = reinterpret_cast<Bytef*>(out.data());
    stream_->avail_out = static_cast<uInt>(out.size());
    const int result = inflate(stream_.get(), Z_NO_FLUSH);
    return {.used = in.size() - stream_->avail_in,
            .made = out.size() - stream_->avail_out,
            .then = then(result)};
  }

  // RFC 1952, 2.2: members follow one another. What is no member is padding.
  bool starts_again(char first) {
    return is_gzip_ && first == '\x1f' && inflateReset(stream_.get()) == Z_OK;
  }

 private:
  struct End {
    void operator()(z_stream* stream) const {
      inflateEnd(stream);
      delete stream;
    }
  };

  static Step::Then then(int result) {
    if (result == Z_STREAM_END) return Step::Then::ended;
    return result == Z_OK || result == Z_BUF_ERROR ? Step::Then::more : Step::Then::broken;
  }

  // "deflate" means the zlib format and, to some origins, the naked stream. The latter never
  // begins like the former: that would be a stored block with padding other than zeros.
  void start(std::string_view in) {
    if (in.empty()) return;
    const bool is_zlib = (in.front() & 0x0f) == Z_DEFLATED;
    const int window_bits = is_gzip_ ? MAX_WBITS + 16 : is_zlib ? MAX_WBITS : -MAX_WBITS;
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), window_bits) != Z_OK) throw std::bad_alloc();
    stream_.reset(stream.release());
  }

  bool is_gzip_;
  std::unique_ptr<z_stream, End> stream_;
};

class Unbrotli {
 public:
  Unbrotli() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) throw std::bad_alloc();
  }

  Step step(std::string_view in, std::span<char> out) {
    std::size_t in_left = in.size(), out_left = out.size();
    const auto* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
    const auto result = BrotliDecoderDecompressStream(state_.get(), &in_left, &next_in, &out_left,
                                                      &next_out, nullptr);
    const auto then = result == BROTLI_DECODER_RESULT_SUCCESS ? Step::Then::ended
                      : result == BROTLI_DECODER_RESULT_ERROR ? Step::Then::broken
                                                              : Step::Then::more;
    return {.used = in.size() - in_left, .made = out.size() - out_left, .then = then};
  }

  static bool starts_again(char /*first*/) { return false; }

 private:
  struct End {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliDecoderState, End> state_;
};

class Unzstd {
 public:
  Unzstd() : stream_(ZSTD_createDStream()) {
    constexpr int kMaxWindowBits = 23;  // RFC 9659: 8 MiB for content codings
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMaxWindowBits);
  }

  Step step(std::string_view in, std::span<char> out) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(stream_.get(), &to, &from);
    const auto then = hint == 0                 ? Step::Then::ended
                      : ZSTD_isError(hint) != 0 ? Step::Then::broken
                                                : Step::Then::more;
    return {.used = from.pos, .made = to.pos, .then = then};
  }

  static bool starts_again(char first) { return first == '\x28'; }  // a frame's magic number

 private:
  struct End {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, End> stream_;
};

}  // namespace

Coding coding_of(std::string_view name) {
  const std::string coding = lowered(name);
  if (coding.empty() || coding == "identity" || coding == "none") return Coding::identity;
  if (coding == "gzip" || coding == "x-gzip") return Coding::gzip;
  if (coding == "deflate") return Coding::deflate;
  if (coding == "br") return Coding::brotli;
  if (coding == "zstd") return Coding::zstd;
  return Coding::unknown;
}

struct Decoder::Codec {
  std::variant<Inflater, Unbrotli, Unzstd> of;

  static Codec make(Coding coding) {
    if (coding == Coding::brotli) return {Unbrotli()};
    if (coding == Coding::zstd) return {Unzstd()};
    return {Inflater(coding)};
  }

  Step step(std::string_view in, std::span<char> out) {
    return std::visit([&](auto& codec) { return codec.step(in, out); }, of);
  }
  bool starts_again(char first) {
    return std::visit([first](auto& codec) { return codec.starts_again(first); }, of);
  }
};

Decoder::Decoder(Coding coding) : codec_(std::make_unique<Codec>(Codec::make(coding))) {}

Decoder::~Decoder() = default;

std::optional<std::string_view> Decoder::next() {
  while (true) {
    if (ended_ && !padded_ && !rest_.empty()) padded_ = !codec_->starts_again(rest_.front());
    if (ended_ && (padded_ || rest_.empty())) return "";
    const Step step = codec_->step(rest_, decoded_);
    rest_.remove_prefix(step.used);
    ended_ = step.then == Step::Then::ended;
    if (step.then == Step::Then::broken) return std::nullopt;
    if (step.made > 0) return std::string_view(decoded_.data(), step.made);
    if (step.used == 0 || rest_.empty()) return "";
  }
}

}  // namespace fetchline
