#include "proto/emitter.h"

#include <gtest/gtest.h>

#include "proto/json_text.h"

namespace fetchline {
namespace {

using Kind = EmitRule::Kind;

std::string lines_of(const EmitRule& rule, std::string_view body) {
  const Emitted emitted = Emitter(rule).lines_of(body, "http://page.example/");
  EXPECT_EQ(emitted.error, "") << body;
  return emitted.lines;
}

std::string error_of(const EmitRule& rule, std::string_view body) {
  const Emitted emitted = Emitter(rule).lines_of(body, "http://page.example/");
  EXPECT_EQ(emitted.lines, "") << body;
  return emitted.error;
}

const EmitRule kBodyLines{Kind::body_lines, ""};
EmitRule json(std::string pointer) { return {Kind::json, std::move(pointer)}; }

TEST(TakeLine, TakesALastLineWithoutANewlineToo) {
  std::string_view text = "a\n\nb";
  EXPECT_EQ(take_line(text), "a");
  EXPECT_EQ(take_line(text), "");
  EXPECT_EQ(take_line(text), "b");
  EXPECT_EQ(take_line(text), std::nullopt);
}

TEST(EmitBodyLines, AreTheLinesOfAnInput) {
  EXPECT_EQ(lines_of(kBodyLines,
                     "\xef\xbb\xbfhttp://a/\r\n\n  \t\r\n# no\n  # neither\n http://b/ \n"
                     "{\"url\":\"http://c/\"}\nnot a task"),
            "http://a/\nhttp://b/\n{\"url\":\"http://c/\"}\nnot a task\n");
  EXPECT_EQ(lines_of(kBodyLines, ""), "");
  EXPECT_EQ(lines_of(kBodyLines, "\n\n"), "");
}

TEST(EmitBodyLines, AreUtf8OrNone) {
  EXPECT_EQ(error_of(kBodyLines, "http://a/\ncaf\xe9"), "the body is not UTF-8");
}

TEST(EmitBodyLines, KeepOfALineThatIsTooLongThatItIs) {
  const std::string fits(kMaxTaskLineBytes, 'a');
  EXPECT_EQ(lines_of(kBodyLines, fits), fits + "\n");
  for (const char* character : {"a", "\u00e9", "\u20ac", "\U0001F600"}) {
    std::string line(kMaxTaskLineBytes, 'a');
    while (line.size() < 4 * kMaxTaskLineBytes) line += character;
    const std::string cut = lines_of(kBodyLines, line + "\nhttp://a/");
    EXPECT_TRUE(cut.ends_with("\nhttp://a/\n"));
    const std::size_t kept = cut.find('\n');
    EXPECT_GT(kept, kMaxTaskLineBytes);
    EXPECT_LE(kept, kMaxTaskLineBytes + 4);
    EXPECT_TRUE(is_utf8(cut));
  }
}

TEST(EmitBodyLines, AreNoMoreThanANextStageCanTake) {
  const std::string line = "http://a.example/" + std::string(1006, 'x') + "\n";
  std::string body;
  while (body.size() < kMaxEmitBytes) body += line;
  EXPECT_EQ(lines_of(kBodyLines, body), body);
  EXPECT_EQ(error_of(kBodyLines, body + "x"), "the body has more than 16 MiB of tasks");
  const std::string comment = "#" + std::string(2 * kMaxEmitBytes, 'x') + "\n";
  EXPECT_EQ(lines_of(kBodyLines, comment + line), line);
}

TEST(EmitJson, IsNoMoreThanANextStageCanTake) {
  const std::string url = "http://a.example/" + std::string(1006, 'x');
  std::string list, lines;
  for (; lines.size() < kMaxEmitBytes; lines += url + "\n") list += "\"" + url + "\",";
  EXPECT_EQ(lines_of(json("/a"), "{\"a\":[" + list.substr(0, list.size() - 1) + "]}"), lines);
  EXPECT_EQ(error_of(json("/a"), "{\"a\":[" + list + "\"x\"]}"),
            "the body has more than 16 MiB of tasks");
}

TEST(EmitJson, GivesWhatIsAtThePointer) {
  const std::string body =
      R"({"next": "http://a/", "task": {"url": "http://b/", "n": 1}, "~/": ["http://c/", )"
      "\n"
      R"({"url":"http:\/\/d\/"}], "none": []})";
  EXPECT_EQ(lines_of(json("/next"), body), "http://a/\n");
  EXPECT_EQ(lines_of(json("/task"), body), "{\"url\":\"http://b/\",\"n\":1}\n");
  EXPECT_EQ(lines_of(json("/~0~1"), body), "http://c/\n{\"url\":\"http://d/\"}\n");
  EXPECT_EQ(lines_of(json("/~0~1/0"), body), "http://c/\n");
  EXPECT_EQ(lines_of(json("/none"), body), "");
  EXPECT_EQ(lines_of(json(""), R"(["http://a/","http://b/"])"), "http://a/\nhttp://b/\n");
  EXPECT_EQ(lines_of(json(""), R"("http://a/")"), "http://a/\n");
}

TEST(EmitJson, SaysWhyThereIsNothing) {
  EXPECT_EQ(error_of(json("/a"), R"({"b":1})"), "nothing is at /a");
  EXPECT_EQ(error_of(json("/2"), R"(["x"])"), "nothing is at /2");
  EXPECT_EQ(error_of(json("/a/b"), R"({"a":"x"})"), "nothing is at /a/b");
  EXPECT_EQ(error_of(json("/a"), R"({"a":1})"), "at /a is a number, no task");
  EXPECT_EQ(error_of(json("/a"), R"({"a":null})"), "at /a is null, no task");
  EXPECT_EQ(error_of(json(""), "true"), "at the top is true or false, no task");
  EXPECT_EQ(error_of(json("/a"), R"({"a":["x",["y"]]})"), "at /a/1 is a list, no task");
  EXPECT_EQ(error_of(json(""), R"(["x",7])"), "at /1 is a number, no task");
  EXPECT_EQ(error_of(json(""), R"("a\nb")"), "at the top is more than one line");
}

TEST(EmitJson, SaysWhatIsNotJson) {
  for (const char* body :
       {"", "http://a/", R"({"a":"x")", R"(["x"]])", "[\"\xff\"]", "[\"a\nb\"]"}) {
    EXPECT_TRUE(error_of(json("/a"), body).starts_with("the body is not JSON: ")) << body;
  }
  const std::string deep(1'000'000, '[');
  EXPECT_TRUE(error_of(json("/0"), deep).starts_with("the body is not JSON: "));
}

TEST(EmitJson, IsNotConfusedByWhatCameBefore) {
  Emitter emitter(json("/a"));
  const std::string large = R"({"a":")" + std::string(3 << 20, 'x') + R"("})";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(emitter.lines_of(R"({"a":"x"})", "").lines, "x\n");
    EXPECT_FALSE(emitter.lines_of("{", "").error.empty());
    EXPECT_GT(emitter.lines_of(large, "").lines.size(), kMaxTaskLineBytes);
  }
}

Result result_of(Outcome outcome, std::optional<Emitted> emit = {}) {
  Result result;
  result.body = "http://a/";
  result.outcome = outcome;
  result.emit = std::move(emit);
  return result;
}

TEST(Emitter, TakesNothingFromAResultThatIsNotOk) {
  Emitter emitter(kBodyLines);
  Result ok = result_of(Outcome::ok), failed = result_of(Outcome::http_error);
  emitter.apply(ok);
  EXPECT_EQ(ok.emit, (Emitted{"http://a/\n", ""}));
  emitter.apply(failed);
  EXPECT_EQ(failed.emit, Emitted());
}

TEST(Emitter, LeavesWhatAWorkerFoundOut) {
  const Emitted lines{"http://b/\n", ""}, error{"", "the command ended with code 1"};
  for (const EmitRule& rule : {kBodyLines, EmitRule{Kind::exec, "x"}}) {
    for (const Emitted& found : {lines, error, Emitted()}) {
      Result result = result_of(Outcome::ok, found);
      Emitter(rule).apply(result);
      EXPECT_EQ(result.emit, found);
    }
    Result failed = result_of(Outcome::timeout, lines);
    Emitter(rule).apply(failed);
    EXPECT_EQ(failed.emit, Emitted());
  }
  Result none = result_of(Outcome::ok);
  Emitter({Kind::exec, "x"}).apply(none);
  EXPECT_EQ(none.emit, (Emitted{"", "no worker ran a command, as --emit exec: asks for"}));
}

}  // namespace
}  // namespace fetchline
