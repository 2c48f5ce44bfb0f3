#include "worker/decoder.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

namespace fetchline {
namespace {

std::string deflated(const std::string& text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string coded(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_out = static_cast<uInt>(coded.size());
  deflate(&stream, Z_FINISH);
  coded.resize(stream.total_out);
  deflateEnd(&stream);
  return coded;
}

std::string gzipped(const std::string& text) { return deflated(text, MAX_WBITS + 16); }

std::string brotli(const std::string& text) {
  std::string coded(BrotliEncoderMaxCompressedSize(text.size()), '\0');
  std::size_t size = coded.size();
  BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, text.size(),
                        reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                        reinterpret_cast<std::uint8_t*>(coded.data()));
  coded.resize(size);
  return coded;
}

std::string zstd(const std::string& text, int level = 3) {
  std::string coded(ZSTD_compressBound(text.size()), '\0');
  coded.resize(ZSTD_compress(coded.data(), coded.size(), text.data(), text.size(), level));
  return coded;
}

struct Decoded {
  std::string text;
  bool broken = false;
  bool ended = false;
};

Decoded decoded(Coding coding, std::string_view coded, std::size_t piece_bytes) {
  Decoder decoder(coding);
  Decoded result;
  while (!coded.empty()) {
    const std::string_view piece = coded.substr(0, piece_bytes);
    coded.remove_prefix(piece.size());
    decoder.give(piece);
    for (auto next = decoder.next(); !next || !next->empty(); next = decoder.next()) {
      if (!next) return {.text = {}, .broken = true};
      result.text += *next;
    }
  }
  result.ended = decoder.ended();
  return result;
}

struct Sample {
  Coding coding;
  std::string coded;
};

class EachCoding : public testing::Test {
 protected:
  EachCoding() {
    for (int i = 0; i < 20'000; ++i) text_ += std::to_string(i * i);
    samples_ = {{Coding::gzip, gzipped(text_)},
                {Coding::deflate, deflated(text_, MAX_WBITS)},
                {Coding::deflate, deflated(text_, -MAX_WBITS)},
                {Coding::brotli, brotli(text_)},
                {Coding::zstd, zstd(text_)}};
  }

  std::string text_;
  std::vector<Sample> samples_;
};

TEST_F(EachCoding, IsUndoneInPiecesOfAnySize) {
  for (const auto& [coding, coded] : samples_) {
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{1000}, coded.size()}) {
      const Decoded result = decoded(coding, coded, piece_bytes);
      EXPECT_TRUE(result.text == text_) << static_cast<int>(coding) << " by " << piece_bytes;
      EXPECT_TRUE(result.ended) << static_cast<int>(coding) << " by " << piece_bytes;
    }
  }
}

TEST_F(EachCoding, HasNotEndedUntilItsLastByte) {
  for (const auto& [coding, coded] : samples_) {
    for (const std::size_t missing : {std::size_t{1}, std::size_t{4}, coded.size() - 1}) {
      const Decoded result =
          decoded(coding, std::string_view(coded).substr(0, coded.size() - missing), coded.size());
      EXPECT_FALSE(result.broken) << static_cast<int>(coding) << " less " << missing;
      EXPECT_FALSE(result.ended) << static_cast<int>(coding) << " less " << missing;
    }
  }
}

TEST_F(EachCoding, SaysWhenItIsSomethingElse) {
  for (const auto& [coding, coded] : samples_) {
    const Decoded result = decoded(coding, "\x05" + text_, 1000);
    EXPECT_TRUE(result.broken || !result.ended) << static_cast<int>(coding);
  }
}

TEST(Decoder, ChecksTheSumOfGzip) {
  std::string coded = gzipped("some text");
  coded[coded.size() - 8] = static_cast<char>(coded[coded.size() - 8] ^ 1);
  EXPECT_TRUE(decoded(Coding::gzip, coded, coded.size()).broken);
}

TEST(Decoder, TakesWhatIsCodedInParts) {
  const std::string gzip = gzipped("one ") + gzipped("two");
  const std::string frames = zstd("one ") + zstd("two");
  for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{1000}}) {
    EXPECT_EQ(decoded(Coding::gzip, gzip, piece_bytes).text, "one two");
    EXPECT_EQ(decoded(Coding::zstd, frames, piece_bytes).text, "one two");
  }
  EXPECT_FALSE(decoded(Coding::gzip, gzip.substr(0, gzip.size() - 1), 1000).ended);
}

// Where the pieces are cut is chance.
TEST(Decoder, PassesOverPaddingInWhichAnotherPartSeemsToBegin) {
  const std::string padding("\0\x1f\x28\x1f\x28", 5);  // how parts of gzip and zstd begin
  for (const Sample& sample :
       {Sample{Coding::gzip, gzipped("text")}, Sample{Coding::zstd, zstd("text")}}) {
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{1000}}) {
      const Decoded result = decoded(sample.coding, sample.coded + padding, piece_bytes);
      EXPECT_EQ(result.text, "text") << piece_bytes;
      EXPECT_TRUE(result.ended && !result.broken) << piece_bytes;
    }
  }
}

TEST(Decoder, PassesOverPaddingAfterTheEnd) {
  const std::string padding(100, '\0');
  for (const Sample& sample :
       {Sample{Coding::gzip, gzipped("text")}, Sample{Coding::brotli, brotli("text")},
        Sample{Coding::zstd, zstd("text")}}) {
    const Decoded result = decoded(sample.coding, sample.coded + padding, 7);
    EXPECT_EQ(result.text, "text");
    EXPECT_TRUE(result.ended && !result.broken);
  }
}

TEST(Decoder, RefusesAZstdWindowBeyondEightMebibytes) {
  constexpr std::string_view kFrameOf128MiB = {"\x28\xb5\x2f\xfd\x00\x88", 6};
  EXPECT_TRUE(decoded(Coding::zstd, kFrameOf128MiB, 100).broken);
}

TEST(Coding, HasItsNamesInAnyCase) {
  EXPECT_EQ(coding_of("gzip"), Coding::gzip);
  EXPECT_EQ(coding_of("X-GZip"), Coding::gzip);
  EXPECT_EQ(coding_of("deflate"), Coding::deflate);
  EXPECT_EQ(coding_of("BR"), Coding::brotli);
  EXPECT_EQ(coding_of("zstd"), Coding::zstd);
  EXPECT_EQ(coding_of("identity"), Coding::identity);
  EXPECT_EQ(coding_of("compress"), Coding::unknown);
}

}  // namespace
}  // namespace fetchline
