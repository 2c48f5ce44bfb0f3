#include "proto/record_json.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

std::string record(const Result& result, RecordOptions options = {}) {
  std::string out;
  append_record(out, result, options);
  return out;
}

// Every record is one line, and parses.
ordered_json parsed(const Result& result, RecordOptions options = {}) {
  const auto line = record(result, options);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_EQ(line.back(), '\n');
  return ordered_json::parse(line);
}

std::vector<std::string> keys(const ordered_json& json) {
  std::vector<std::string> names;
  for (const auto& item : json.items()) names.push_back(item.key());
  return names;
}

std::string decoded(const std::string& base64) {
  std::string bytes(base64.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                  reinterpret_cast<const unsigned char*>(base64.data()),
                  static_cast<int>(base64.size()));
  bytes.resize(bytes.size() -
               static_cast<std::size_t>(std::count(base64.begin(), base64.end(), '=')));
  return bytes;
}

Result fetched() {
  Result result;
  result.index = 7;
  result.attempts = 2;
  result.outcome = Outcome::ok;
  result.response_code = 200;
  result.id = "seven";
  result.url = "http://a.example/";
  result.url_effective = "https://a.example/";
  result.method = "GET";
  result.http_version = "1.1";
  result.content_type = "text/html";
  result.remote_ip = "192.0.2.1";
  result.num_redirects = 1;
  result.size_download = 1024;
  result.time_namelookup = 1ms;
  result.time_connect = 2ms;
  result.time_appconnect = 3ms;
  result.time_starttransfer = 4500us;
  result.time_total = 1250ms;
  result.fetched_at = 1'767'225'600'123ms;
  result.worker = "host:42";
  result.header_block = "Content-Type: text/html\r\nSet-Cookie: a=1\r\n";
  result.meta = R"({"b":1.10,"a":[null]})";
  result.body = "<p>\"hi\"</p>\n";
  return result;
}

TEST(RecordJson, SaysWhatGoesOnInFrontOfTheBody) {
  Result result = fetched();
  result.emit = {.lines = "https://b.example/\n{\"url\":\"https://c.example/\"}\n\x7f\0\n",
                 .error = {}};
  const auto json = parsed(result);
  EXPECT_EQ(json["emit"],
            (ordered_json{"https://b.example/", R"({"url":"https://c.example/"})", "\x7f"}));
  EXPECT_FALSE(json.contains("emit_error"));
  const auto names = keys(json);
  EXPECT_EQ((std::vector<std::string>{names.end() - 2, names.end()}),
            (std::vector<std::string>{"emit", "body"}));
  EXPECT_NE(record(result).find(R"("\u007f")"), std::string::npos) << "not for a terminal to obey";
}

TEST(RecordJson, SaysWhyNothingGoesOn) {
  Result result = fetched();
  EXPECT_FALSE(parsed(result).contains("emit"));
  result.emit.emplace();
  EXPECT_EQ(parsed(result)["emit"], ordered_json::array());
  EXPECT_FALSE(parsed(result).contains("emit_error"));
  result.emit->error = "the body is not \"UTF-8\"";
  EXPECT_EQ(parsed(result)["emit"], ordered_json::array());
  EXPECT_EQ(parsed(result)["emit_error"], "the body is not \"UTF-8\"");
}

TEST(RecordJson, NamesTheFileWhereTheBodyWouldStand) {
  std::string out;
  append_record(out, fetched(), {.body = false}, "é\"1.html");
  EXPECT_TRUE(out.ends_with(R"(,"meta":{"b":1.10,"a":[null]},"file":"é\"1.html"})"
                            "\n"))
      << out;
}

TEST(RecordJson, IsWrittenAsUsersWerePromised) {
  EXPECT_EQ(record(fetched()),
            R"({"index":7,"id":"seven","url":"http://a.example/","outcome":"ok",)"
            R"("response_code":200,"exitcode":0,"errormsg":"",)"
            R"("url_effective":"https://a.example/","method":"GET","http_version":"1.1",)"
            R"("content_type":"text/html","remote_ip":"192.0.2.1","num_redirects":1,)"
            R"("attempts":2,"size_download":1024,"time_namelookup":0.001,"time_connect":0.002,)"
            R"("time_appconnect":0.003,"time_starttransfer":0.0045,"time_total":1.25,)"
            R"("fetched_at":"2026-01-01T00:00:00.123Z","worker":"host:42",)"
            R"("headers":[["Content-Type","text/html"],["Set-Cookie","a=1"]],)"
            R"("meta":{"b":1.10,"a":[null]},"body":"<p>\"hi\"</p>\n"})"
            "\n");
}

TEST(RecordJson, AppendsBehindWhatIsThere) {
  std::string out = "before\n";
  append_record(out, fetched());
  EXPECT_EQ(out, "before\n" + record(fetched()));
}

TEST(RecordJson, ATaskWithoutIdOrMetaHasNoSuchFields) {
  auto result = fetched();
  result.id.clear();
  result.meta.clear();
  const auto json = parsed(result);
  EXPECT_FALSE(json.contains("id"));
  EXPECT_FALSE(json.contains("meta"));
}

TEST(RecordJson, WithoutARedirectTheEffectiveUrlIsTheUrl) {
  auto result = fetched();
  result.url_effective.clear();
  EXPECT_EQ(parsed(result)["url_effective"], result.url);
}

TEST(RecordJson, ABodyThatIsNotUtf8IsBase64AndNeverBoth) {
  auto result = fetched();
  result.body = std::string("\x89PNG\0\xff", 6);
  const auto json = parsed(result);
  EXPECT_FALSE(json.contains("body"));
  EXPECT_EQ(json["body_base64"], "iVBORwD/");
}

TEST(RecordPieces, AreTheRecord) {
  Result result = fetched();
  result.emit = Emitted{"http://b.example/\n", ""};
  const std::string text = "a\"\n\x01\xC3\xA4z";
  for (const std::size_t size : {0, 1, 49'151, 49'152, 49'153, 200'000}) {
    for (const bool is_text : {true, false}) {
      result.body.clear();
      while (result.body.size() < size) result.body += is_text ? text : "\xFF" + text;
      std::string whole;
      for (RecordPieces pieces(result);;) {
        std::string piece;
        if (!pieces.append_next(piece)) break;
        EXPECT_LT(piece.size(), 6 * RecordPieces::kBodyBytes + 2'000) << "whatever the body's size";
        whole += piece;
      }
      EXPECT_TRUE(whole == record(result)) << size;
    }
  }
}

TEST(RecordJson, AnEmptyBodyIsAnEmptyText) {
  auto result = fetched();
  result.body.clear();
  EXPECT_EQ(parsed(result)["body"], "");
}

TEST(RecordJson, BodyAndHeadersCanBeLeftOut) {
  auto result = fetched();
  const auto json = parsed(result, {.body = false, .headers = false});
  EXPECT_FALSE(json.contains("body"));
  EXPECT_FALSE(json.contains("headers"));
  result.body = "\xff";
  EXPECT_FALSE(parsed(result, {.body = false}).contains("body_base64"));
}

TEST(RecordJson, ATaskThatWasNeverFetchedHasTheSameShape) {
  Result result;
  result.outcome = Outcome::invalid_task;
  result.errormsg = "line 3: no scheme";
  result.url = "nonsense";
  const auto json = parsed(result);
  auto expected = keys(parsed(fetched()));
  std::erase(expected, "id");
  std::erase(expected, "meta");
  EXPECT_EQ(keys(json), expected);
  EXPECT_EQ(json["outcome"], "invalid_task");
  EXPECT_EQ(json["response_code"], 0);
  EXPECT_EQ(json["headers"], ordered_json::array());
}

TEST(RecordJson, EveryOutcomeIsNamed) {
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    Result result;
    result.outcome = static_cast<Outcome>(i);
    EXPECT_EQ(parsed(result)["outcome"], to_string(result.outcome));
  }
}

TEST(RecordJson, OneLatin1HeaderDoesNotGarbleTheOthers) {
  auto result = fetched();
  result.header_block = "X-Old: caf\xe9\r\nX-New: café\r\n";
  EXPECT_EQ(parsed(result)["headers"],
            ordered_json::parse(R"([["X-Old","café"],["X-New","café"]])"));
}

TEST(RecordJson, AHeaderTellsATerminalNothing) {
  auto result = fetched();
  result.header_block = "X-A: \xC2\x9B[31m\x7F\xE2\x80\xAE\r\n";
  const std::string line = record(result);
  EXPECT_NE(line.find(R"(["X-A","\u009b[31m\u007f\u202e"])"), std::string::npos) << line;
}

TEST(RecordJson, TheLargestNumbersAreExact) {
  auto result = fetched();
  result.index = kMaxIndex - 1;
  result.size_download = UINT64_MAX;
  result.exitcode = INT32_MIN;
  const auto json = parsed(result);
  EXPECT_EQ(json["index"], kMaxIndex - 1);
  EXPECT_EQ(json["size_download"], UINT64_MAX);
  EXPECT_EQ(json["exitcode"], INT32_MIN);
}

class RandomBytes {
 public:
  explicit RandomBytes(unsigned seed) : random_(seed) {}
  std::string operator()(std::size_t longest) {
    // Half of the texts are ASCII, so that both sides of every choice are taken.
    const unsigned values = random_() % 2 == 0 ? 128 : 256;
    std::string bytes(random_() % longest, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_() % values);
    return bytes;
  }

 private:
  std::mt19937 random_;
};

TEST(RecordJson, WhateverBytesAnOriginSendsTheLineIsJsonAndTheBodyComesBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  RandomBytes bytes(seed);
  for (int round = 0; round < 500; ++round) {
    Result result;
    for (auto* text :
         {&result.errormsg, &result.id, &result.url, &result.url_effective, &result.method,
          &result.http_version, &result.content_type, &result.remote_ip, &result.worker}) {
      *text = bytes(40);
    }
    result.header_block = bytes(400);
    result.body = bytes(9000);
    const auto json = parsed(result);
    const auto body = json.contains("body") ? json["body"].get<std::string>()
                                            : decoded(json["body_base64"].get<std::string>());
    ASSERT_EQ(body, result.body);
  }
}

}  // namespace
}  // namespace fetchline
