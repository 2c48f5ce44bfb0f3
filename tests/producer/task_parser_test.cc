#include "producer/task_parser.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

namespace fetchline {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

ParsedLine parsed(std::string_view text, std::uint64_t number = 2, bool too_long = false) {
  static TaskParser parser;  // reused on purpose: no line may leave a trace in the next
  return parser.parse({text, too_long, number}, 7);
}

Task task_of(std::string_view text) {
  const auto line = parsed(text);
  const auto* task = std::get_if<Task>(&line);
  if (task != nullptr) return *task;
  const auto* invalid = std::get_if<InvalidTask>(&line);
  ADD_FAILURE() << text << ": " << (invalid != nullptr ? invalid->reason : "skipped");
  return {};
}

InvalidTask invalid_of(std::string_view text, bool too_long = false) {
  const auto line = parsed(text, 2, too_long);
  if (const auto* invalid = std::get_if<InvalidTask>(&line)) return *invalid;
  ADD_FAILURE() << "not invalid: " << text;
  return {};
}

std::string reason_of(std::string_view text) { return invalid_of(text).reason; }

// The reason for a task that is fine but for `field`.
std::string reason_of_field(const std::string& field) {
  return reason_of(R"({"url":"http://a/",)" + field + "}");
}

Task task_with(const std::string& field) { return task_of(R"({"url":"http://a/",)" + field + "}"); }

bool is_skipped(std::string_view text, std::uint64_t number = 2) {
  return std::holds_alternative<Skip>(parsed(text, number));
}

TEST(TaskParser, APlainLineIsAUrl) {
  const auto task = task_of("http://a.example/x");
  EXPECT_EQ(task.url, "http://a.example/x");
  EXPECT_EQ(task.index, 7u);
  EXPECT_EQ(task.attempt, 1u);
  EXPECT_EQ(task.method, "");
  EXPECT_FALSE(task.body);
}

TEST(TaskParser, BlankLinesAndCommentsArePassedOver) {
  for (const auto* line : {"", " ", "\t", "\r", "#", "# http://a/", "  # comment"}) {
    EXPECT_TRUE(is_skipped(line)) << line;
  }
}

TEST(TaskParser, SpacesAndCarriageReturnsAroundALineAreNoPartOfIt) {
  EXPECT_EQ(task_of(" \thttp://a/ \r").url, "http://a/");
  EXPECT_EQ(task_of(" {\"url\":\"http://a/\"} \r").url, "http://a/");
}

TEST(TaskParser, AByteOrderMarkIsPassedOverOnTheFirstLineOnly) {
  EXPECT_TRUE(std::holds_alternative<Task>(parsed("\xef\xbb\xbfhttp://a/", 1)));
  EXPECT_TRUE(std::holds_alternative<Task>(parsed("\xef\xbb\xbf{\"url\":\"http://a/\"}", 1)));
  EXPECT_TRUE(is_skipped("\xef\xbb\xbf", 1));
  EXPECT_TRUE(is_skipped("\xef\xbb\xbf# comment", 1));
  EXPECT_EQ(reason_of("\xef\xbb\xbfhttp://a/"), "no scheme");
}

TEST(TaskParser, ALineThatIsNoUrlSaysWhyAndWhere) {
  const auto invalid = invalid_of("ftp://a/");
  EXPECT_EQ(invalid.index, 7u);
  EXPECT_EQ(invalid.line_number, 2u);
  EXPECT_EQ(invalid.url, "ftp://a/");
  EXPECT_EQ(errormsg_of(invalid), "line 2: scheme ftp is not allowed");
}

TEST(TaskParser, ALineThatIsNotUtf8IsInvalidAndShownReadably) {
  const auto invalid = invalid_of("http://a/caf\xe9");
  EXPECT_EQ(invalid.reason, "line is not UTF-8");
  EXPECT_EQ(invalid.url, "http://a/café");
}

TEST(TaskParser, ALineThatIsTooLongIsShownByItsFront) {
  const auto invalid = invalid_of("http://a/" + std::string(5000, 'x'), true);
  EXPECT_EQ(invalid.reason, "line is longer than 64 KiB");
  EXPECT_EQ(invalid.url.size(), 2048u);
  EXPECT_EQ(invalid_of(R"({"url":"http://a/)", true).reason, "line is longer than 64 KiB");
  EXPECT_EQ(invalid_of("    ", true).reason, "line is longer than 64 KiB");
}

TEST(TaskParser, ACommentMayBeAsLongAsItLikes) {
  EXPECT_TRUE(std::holds_alternative<Skip>(parsed("# " + std::string(2046, 'x'), 2, true)));
}

TEST(TaskParser, AnObjectHasAllFieldsOfTheContract) {
  const auto task =
      task_of(R"({"url":"http://a/","id":"x","method":"POST","headers":{"A":"b"},"body":"hi",)"
              R"("max_time":5,"output":"name.html","meta":{"k":[1,null,"v"]}})");
  EXPECT_EQ(task.url, "http://a/");
  EXPECT_EQ(task.id, "x");
  EXPECT_EQ(task.method, "POST");
  EXPECT_EQ(task.headers, Strings{"A: b"});
  EXPECT_EQ(task.body, "hi");
  EXPECT_EQ(task.max_time, 5s);
  EXPECT_EQ(task.output, "name.html");
  EXPECT_EQ(task.meta, R"({"k":[1,null,"v"]})");
}

TEST(TaskParser, UnknownKeysAndNullsArePassedOver) {
  const auto task = task_with(R"("depth":{"x":[1]},"id":null,"body":null,"race":null)");
  EXPECT_EQ(task.id, "");
  EXPECT_FALSE(task.body);
}

TEST(TaskParser, OneLineLeavesNoTraceInTheNext) {
  task_with(R"("id":"x","headers":{"A":"b"},"body":"c","meta":1)");
  const auto task = task_of("http://b/");
  EXPECT_EQ(task.id, "");
  EXPECT_TRUE(task.headers.empty());
  EXPECT_FALSE(task.body);
  EXPECT_EQ(task.meta, "");
}

TEST(TaskParser, IdsMayBeNumbersAndAreKeptAsText) {
  EXPECT_EQ(task_with(R"("id":12)").id, "12");
  EXPECT_EQ(task_with(R"("id":-3)").id, "-3");
  EXPECT_EQ(task_with(R"("id":18446744073709551615)").id, "18446744073709551615");
  EXPECT_EQ(task_with(R"("id":1.5)").id, "1.5");
  EXPECT_EQ(task_with(R"("id":"\u00fc\n")").id, "ü\n");
}

TEST(TaskParser, MetaMayBeAnyValueAndIsKeptCompact) {
  EXPECT_EQ(task_with(R"("meta":"text")").meta, R"("text")");
  EXPECT_EQ(task_with(R"("meta":0)").meta, "0");
  EXPECT_EQ(task_with(R"("meta":null)").meta, "null");
  for (const std::string meta : {"2.50", "1E+2", "-0.0", "18446744073709551615", "[ ]",
                                 R"("\u0041\/")", R"({ "b" : 1 , "a" : "x\ny", "b":2 })"}) {
    EXPECT_EQ(task_with("\"meta\": " + meta + "\t").meta, meta) << "as it was written";
    EXPECT_EQ(task_with("\"meta\":0,\"meta\":" + meta).meta, meta) << "the last one";
  }
  EXPECT_EQ(task_with("\"meta\":[1,\r2]").meta, "[1,2]") << "a record is one line";
}

TEST(TaskParser, HeadersMayBeAnObjectOrAListOfPairs) {
  EXPECT_EQ(task_with(R"("headers":{"A":"b","C":" d "})").headers, (Strings{"A: b", "C: d"}));
  EXPECT_EQ(task_with(R"("headers":[["A","b"],["A","c"]])").headers, (Strings{"A: b", "A: c"}));
  EXPECT_TRUE(task_with(R"("headers":{})").headers.empty());
}

TEST(TaskParser, AnEmptyHeaderIsSentEmptyAndANullLeavesOneOut) {
  EXPECT_EQ(task_with(R"("headers":{"A":"","B":"  ","Accept":null})").headers,
            (Strings{"A;", "B;", "Accept:"}));
}

TEST(TaskParser, HeadersThatWouldBreakARequestAreInvalid) {
  EXPECT_EQ(reason_of_field(R"("headers":{"A":"b\r\nEvil: 1"})"),
            "headers: A holds a control character");
  EXPECT_EQ(reason_of_field(R"("headers":{"A":"\u0000"})"), "headers: A holds a control character");
  EXPECT_EQ(reason_of_field(R"("headers":{"A":"\u007f"})"), "headers: A holds a control character");
  for (const auto* name : {"", "A B", "A:", R"(A\n)", R"(A\u0000)", "ü"}) {
    EXPECT_EQ(reason_of_field(std::string(R"("headers":{")") + name + R"(":"b"})"),
              "headers: a name is not a word that HTTP allows")
        << name;
  }
}

TEST(TaskParser, BodiesAreTextOrBase64) {
  EXPECT_EQ(task_with(R"("body":"")").body, "");
  EXPECT_EQ(task_with(R"("body":"a\u0000b")").body, std::string("a\0b", 3));
  EXPECT_EQ(task_with(R"("body_base64":"AP8=")").body, std::string("\0\xff", 2));
  EXPECT_EQ(reason_of_field(R"("body_base64":"AP8")"), "body_base64 is not base64");
  EXPECT_EQ(reason_of_field(R"("body":"a","body_base64":"AP8=")"), "more than one body");
}

TEST(TaskParser, RaceOrFailoverMayStandForTheUrl) {
  const auto race = task_of(R"({"race":["http://a/","http://b/"]})");
  EXPECT_EQ(race.race, (Strings{"http://a/", "http://b/"}));
  EXPECT_EQ(race.url, "http://a/");
  const auto failover = task_of(R"({"url":"http://c/","failover":["http://a/"]})");
  EXPECT_EQ(failover.failover, Strings{"http://a/"});
  EXPECT_EQ(failover.url, "http://c/");
}

TEST(TaskParser, RaceAndFailoverAreCheckedToo) {
  EXPECT_EQ(reason_of(R"({"race":["http://a/"],"failover":["http://b/"]})"),
            "race and failover together");
  EXPECT_EQ(reason_of(R"({"race":["http://a/","ftp://b/"]})"),
            "race[1]: scheme ftp is not allowed");
  EXPECT_EQ(reason_of(R"({"failover":[5]})"), "failover[0] is not a string");
  EXPECT_EQ(reason_of(R"({"race":[]})"), "race is empty");
  EXPECT_EQ(reason_of(R"({"race":"http://a/"})"), "race is not a list");
}

TEST(TaskParser, MaxTimeIsSecondsOrNamesItsUnit) {
  EXPECT_EQ(task_with(R"("max_time":5)").max_time, 5s);
  EXPECT_EQ(task_with(R"("max_time":0.25)").max_time, 250ms);
  EXPECT_EQ(task_with(R"("max_time":"250ms")").max_time, 250ms);
  EXPECT_EQ(task_with(R"("max_time":"2m")").max_time, 2min);
  for (const auto* time : {"-1", "1e300", R"("soon")", R"("")", "true", "[5]"}) {
    EXPECT_TRUE(reason_of_field(std::string(R"("max_time":)") + time).starts_with("max_time"))
        << time;
  }
}

TEST(TaskParser, WrongTypesNameTheirKey) {
  EXPECT_EQ(reason_of(R"({"url":5})"), "url is not a string");
  EXPECT_EQ(reason_of_field(R"("id":[])"), "id is neither a string nor a number");
  EXPECT_EQ(reason_of_field(R"("id":true)"), "id is neither a string nor a number");
  EXPECT_EQ(reason_of_field(R"("method":1)"), "method is not a string");
  EXPECT_EQ(reason_of_field(R"("method":"GET /")"), "method is not a word that HTTP allows");
  EXPECT_EQ(reason_of_field(R"("method":"")"), "method is not a word that HTTP allows");
  EXPECT_EQ(reason_of_field(R"("headers":"A: b")"), "headers is neither an object nor a list");
  EXPECT_EQ(reason_of_field(R"("headers":{"A":1})"), "headers: A is not a string");
  EXPECT_EQ(reason_of_field(R"("headers":[["A"]])"),
            "headers: an item is not a pair of name and value");
  EXPECT_EQ(reason_of_field(R"("headers":[[1,"b"]])"),
            "headers: an item is not a pair of name and value");
  EXPECT_EQ(reason_of_field(R"("body":{})"), "body is not a string");
  EXPECT_EQ(reason_of_field(R"("output":1)"), "output is not a string");
}

TEST(TaskParser, WithoutAUrlThereIsNoTask) {
  EXPECT_EQ(reason_of("{}"), "no url");
  EXPECT_EQ(reason_of(R"({"url":""})"), "no url");
  EXPECT_EQ(invalid_of(R"({"method":"GET"})").url, R"({"method":"GET"})");
}

TEST(TaskParser, AFaultyTaskKeepsItsUrlIdAndMeta) {
  const auto invalid = invalid_of(R"({"url":"a.example","headers":7,"id":9,"meta":{"k":1}})");
  EXPECT_EQ(invalid.reason, "headers is neither an object nor a list");
  EXPECT_EQ(invalid.url, "a.example");
  EXPECT_EQ(invalid.id, "9");
  EXPECT_EQ(invalid.meta, R"({"k":1})");
}

TEST(TaskParser, BadJsonIsInvalid) {
  for (const auto* line :
       {"{", R"({"url":"http://a/")", R"({"url":"http://a/"}})", R"({"url":"http://a/"} x)",
        R"({"url":"http://a/"}{"url":"http://a/"})", "{url:1}", "{'url':1}",
        "{\"url\":\"http://a/\xff\"}", R"({"url":"http://a/\ud800"})", "{\"url\":\"\t\"}"}) {
    const auto invalid = invalid_of(line);
    EXPECT_TRUE(invalid.reason.starts_with("bad JSON: ")) << line << ": " << invalid.reason;
    EXPECT_TRUE(simdjson::validate_utf8(invalid.url));
  }
}

TEST(TaskParser, DeepNestingIsAnErrorAndNoOverflow) {
  const auto line =
      R"({"url":"http://a/","meta":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
  EXPECT_TRUE(reason_of(line).starts_with("bad JSON: "));
}

TEST(TaskParser, WhatIsShownOfAFaultyUrlIsShort) {
  const auto invalid = invalid_of(R"({"url":"ftp://)" + std::string(60'000, 'x') + R"("})");
  EXPECT_EQ(invalid.url.size(), 2048u);
}

TEST(TaskParser, NoBytesMakeItFail) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string good =
      R"({"url":"http://a/","id":"x","headers":{"A":"b"},"race":["http://b/"],"meta":{"k":[1]}})";
  for (int round = 0; round < 20'000; ++round) {
    auto line = good;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      line[random() % line.size()] = static_cast<char>(random() % 256);
    }
    line.resize(random() % 4 == 0 ? random() % line.size() : line.size());
    const auto result = parsed(line);
    if (const auto* invalid = std::get_if<InvalidTask>(&result)) {
      ASSERT_FALSE(invalid->reason.empty()) << line;
      ASSERT_TRUE(simdjson::validate_utf8(invalid->url + invalid->reason + invalid->id)) << line;
    }
  }
}

}  // namespace
}  // namespace fetchline
