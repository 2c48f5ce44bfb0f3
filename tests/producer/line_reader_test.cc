#include "producer/line_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace fetchline {
namespace {

struct SeenLine {
  std::string text;
  bool too_long;
  std::uint64_t number;
  bool operator==(const SeenLine&) const = default;
};
using SeenLines = std::vector<SeenLine>;

void take_all(LineReader& reader, SeenLines& lines) {
  while (const auto line = reader.next()) {
    lines.push_back({std::string(line->text), line->too_long, line->number});
  }
}

SeenLines lines_of(std::string_view input, std::size_t piece = SIZE_MAX) {
  LineReader reader;
  SeenLines lines;
  while (!input.empty()) {
    reader.feed(input.substr(0, piece));
    input.remove_prefix(std::min(piece, input.size()));
    take_all(reader, lines);
  }
  reader.finish();
  take_all(reader, lines);
  return lines;
}

TEST(LineReader, CutsAtLineFeedsAndCounts) {
  EXPECT_EQ(lines_of("one\ntwo\n\nfour\n"),
            (SeenLines{{"one", false, 1}, {"two", false, 2}, {"", false, 3}, {"four", false, 4}}));
}

TEST(LineReader, TheLastLineNeedsNoNewline) {
  EXPECT_EQ(lines_of("one\ntwo"), (SeenLines{{"one", false, 1}, {"two", false, 2}}));
}

TEST(LineReader, NoInputHasNoLines) { EXPECT_EQ(lines_of(""), SeenLines{}); }

TEST(LineReader, CarriageReturnsBelongToTheEndOfALineOnly) {
  EXPECT_EQ(lines_of("one\r\nt\rwo\r"), (SeenLines{{"one", false, 1}, {"t\rwo", false, 2}}));
}

TEST(LineReader, AnUnfinishedLineWaitsForItsEnd) {
  LineReader reader;
  reader.feed("on");
  EXPECT_FALSE(reader.next());
  reader.feed("e\ntw");
  EXPECT_EQ(reader.next()->text, "one");
  EXPECT_FALSE(reader.next());
  reader.feed("o\n");
  EXPECT_EQ(reader.next()->text, "two");
}

TEST(LineReader, LinesMayBeTakenLaterThanTheyAreFed) {
  LineReader reader;
  reader.feed("one\ntw");
  reader.feed("o\nthree\n");
  SeenLines lines;
  take_all(reader, lines);
  EXPECT_EQ(lines, (SeenLines{{"one", false, 1}, {"two", false, 2}, {"three", false, 3}}));
}

TEST(LineReader, ALineAtTheLimitIsWhole) {
  const std::string longest(LineReader::kMaxLineBytes, 'x');
  for (const auto* end : {"\n", "\r\n", ""}) {
    const auto lines = lines_of(longest + end, 1000);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0], (SeenLine{longest, false, 1}));
  }
}

TEST(LineReader, ALineOverTheLimitIsReportedOnceWithItsFront) {
  const std::string text(LineReader::kMaxLineBytes + 1, 'x');
  const SeenLine too_long{std::string(LineReader::kPrefixBytes, 'x'), true, 2};
  for (const auto* end : {"\n", "\r\n", ""}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{999}, SIZE_MAX}) {
      EXPECT_EQ(lines_of("a\n" + text + end, piece), (SeenLines{{"a", false, 1}, too_long}))
          << piece;
    }
  }
}

TEST(LineReader, TheLineAfterOneThatWasTooLongIsReadAsUsual) {
  const auto input = std::string(1'000'000, 'x') + "\nnext\n";
  for (const std::size_t piece : {std::size_t{7}, std::size_t{65'536}, SIZE_MAX}) {
    const auto lines = lines_of(input, piece);
    ASSERT_EQ(lines.size(), 2u) << piece;
    EXPECT_TRUE(lines[0].too_long);
    EXPECT_EQ(lines[1], (SeenLine{"next", false, 2}));
  }
}

TEST(LineReader, AnEndlessLineIsReportedAsSoonAsItIsKnownToBeTooLong) {
  LineReader reader;
  const std::string block(64 * 1024, 'x');
  reader.feed(block);
  EXPECT_FALSE(reader.next());
  reader.feed(block);
  EXPECT_TRUE(reader.next()->too_long);
  for (int i = 0; i < 1000; ++i) {
    reader.feed(block);
    ASSERT_FALSE(reader.next());
  }
  reader.finish();
  EXPECT_FALSE(reader.next());
}

std::string record_of(std::size_t bytes) {
  std::string line(LineReader::kRecordBeginning);
  line.resize(bytes, 'x');
  return line;
}

TEST(LineReader, ARecordMayBeMuchLongerThanATask) {
  const std::string record = record_of(20 * LineReader::kMaxLineBytes);
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{SIZE_MAX}}) {
    EXPECT_EQ(lines_of(record + "\nnext\n", piece),
              (SeenLines{{record, false, 1}, {"next", false, 2}}));
  }
}

TEST(LineReader, EvenARecordHasAnEnd) {
  LineReader reader;
  SeenLines lines;
  const std::string piece(LineReader::kMaxRecordBytes / 8, 'x');
  reader.feed(LineReader::kRecordBeginning);
  for (int i = 0; i < 7; ++i) {
    reader.feed(piece);
    take_all(reader, lines);
    EXPECT_TRUE(lines.empty());
  }
  reader.feed(piece);
  take_all(reader, lines);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].too_long);
  EXPECT_EQ(lines[0].text, record_of(LineReader::kPrefixBytes));
  reader.feed(piece + "\nnext\n");
  take_all(reader, lines);
  EXPECT_EQ(lines.at(1), (SeenLine{"next", false, 2}));
}

TEST(LineReader, HowTheInputIsCutInPiecesMakesNoDifference) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    std::string input;
    for (auto count = random() % 10; count > 0; --count) {
      const auto length = random() % 4 == 0 ? 64 * 1024 - 2 + random() % 5 : random() % 50;
      input.append(length, "ab\r"[random() % 3]);
      input += random() % 3 == 0 ? "\r\n" : "\n";
    }
    input += random() % 2 == 0 ? "last" : "";
    ASSERT_EQ(lines_of(input, 1 + random() % 5000), lines_of(input));
  }
}

}  // namespace
}  // namespace fetchline
