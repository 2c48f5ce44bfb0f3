#include "proto/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace fetchline {
namespace {

using namespace std::chrono_literals;

std::string text(std::string_view bytes) {
  std::string out;
  append_json_text(out, bytes);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  append_json_base64(out, bytes);
  return out;
}

std::string seconds_text(std::chrono::microseconds time) {
  std::string out;
  append_json_seconds(out, time);
  return out;
}

std::string utc(std::chrono::milliseconds time) {
  std::string out;
  append_json_utc(out, time);
  return out;
}

TEST(JsonText, EscapesWhatATerminalObeys) {
  EXPECT_EQ(text("a\x7f\xC2\x9B"
                 "31m b"),
            R"("a\u007f\u009b31m b")");
  EXPECT_EQ(text("\u200e\u200f\u202a\u202e\u2066\u2069\u061c"),
            R"("\u200e\u200f\u202a\u202e\u2066\u2069\u061c")");
  EXPECT_EQ(text("\u00a0\u200d\u2029\u202f\u2065\u206a\u061b é €"),
            "\"\u00a0\u200d\u2029\u202f\u2065\u206a\u061b é €\"");
  EXPECT_EQ(nlohmann::json::parse(text("\u202e\"x")).get<std::string>(), "\u202e\"x");
}

TEST(JsonText, EscapesWhatJsonMustEscapeAndNothingElse) {
  EXPECT_EQ(text(""), R"("")");
  EXPECT_EQ(text("plain / text ~"), "\"plain / text ~\"");
  EXPECT_EQ(text("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(text(std::string_view("\0\x01\x1f", 3)), R"("\u0000\u0001\u001f")");
  EXPECT_EQ(text("grüße \u2028 😀"), "\"grüße \u2028 😀\"");
}

TEST(JsonText, EveryByteAtEveryPlaceInAWordComesBack) {
  for (int byte = 0; byte < 128; ++byte) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string bytes(20, 'x');
      bytes[place] = static_cast<char>(byte);
      const auto json = text(bytes);
      ASSERT_EQ(nlohmann::json::parse(json).get<std::string>(), bytes) << byte << " at " << place;
      const bool is_control = byte < 0x20 || byte == 0x7F;
      ASSERT_EQ(json.size() > 22, is_control || byte == '"' || byte == '\\') << byte;
    }
  }
}

TEST(JsonText, BytesThatAreNotUtf8AreReadAsLatin1) {
  EXPECT_EQ(text("caf\xe9"), "\"café\"");
  EXPECT_EQ(text("\xff\x80\n"), "\"\u00ff\\u0080\\n\"");
  EXPECT_EQ(text("\xed\xa0\x80"), "\"\u00ed\u00a0\\u0080\"");  // a surrogate is not UTF-8
  EXPECT_EQ(text("\xc0\xaf"), "\"\u00c0\u00af\"");             // nor is an overlong slash
}

TEST(JsonText, AnyBytesGiveAStringThatParses) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 1500, '\0');
    const auto highest = round % 2 == 0 ? 255u : 127u;
    for (char& byte : bytes) byte = static_cast<char>(random() % (highest + 1));
    const auto parsed = nlohmann::json::parse(text(bytes)).get<std::string>();
    ASSERT_TRUE(!is_utf8(bytes) || parsed == bytes);
    ASSERT_GE(parsed.size(), bytes.size());
  }
}

TEST(JsonText, Base64IsRfc4648WithPadding) {
  EXPECT_EQ(base64(""), R"("")");
  EXPECT_EQ(base64("f"), R"("Zg==")");
  EXPECT_EQ(base64("fo"), R"("Zm8=")");
  EXPECT_EQ(base64("foo"), R"("Zm9v")");
  EXPECT_EQ(base64("\xfb\xff\xfe"), R"("+//+")");
}

TEST(JsonText, LongBase64HasPaddingOnlyAtItsEnd) {
  for (const std::size_t size : {3071u, 3072u, 3073u, 10000u}) {
    const auto json = base64(std::string(size, '\0'));
    ASSERT_EQ(json.size(), 2 + (size + 2) / 3 * 4);
    const auto padding = json.find('=');
    ASSERT_TRUE(padding == std::string::npos || padding >= json.size() - 3) << size;
  }
}

TEST(JsonText, SecondsHaveOneToSixDecimals) {
  EXPECT_EQ(seconds_text(0us), "0.0");
  EXPECT_EQ(seconds_text(1us), "0.000001");
  EXPECT_EQ(seconds_text(1'250'000us), "1.25");
  EXPECT_EQ(seconds_text(60s), "60.0");
  EXPECT_EQ(seconds_text(123'456'789us), "123.456789");
}

TEST(JsonText, TimesFromAHostilePeerStayNumbers) {
  EXPECT_EQ(seconds_text(-5s), "0.0");
  EXPECT_EQ(seconds_text(std::chrono::microseconds::min()), "0.0");
  EXPECT_EQ(seconds_text(std::chrono::microseconds::max()), "9223372036854.775807");
}

TEST(JsonText, DatesAreIso8601InUtcWithMilliseconds) {
  EXPECT_EQ(utc(0ms), R"("1970-01-01T00:00:00.000Z")");
  EXPECT_EQ(utc(1'767'225'600'000ms), R"("2026-01-01T00:00:00.000Z")");
  EXPECT_EQ(utc(1'709'251'199'007ms), R"("2024-02-29T23:59:59.007Z")");
}

TEST(JsonText, DatesOutOfRangeBecomeTheNearestEnd) {
  EXPECT_EQ(utc(-1ms), R"("1970-01-01T00:00:00.000Z")");
  EXPECT_EQ(utc(std::chrono::milliseconds::max()), R"("9999-12-31T23:59:59.999Z")");
}

}  // namespace
}  // namespace fetchline
