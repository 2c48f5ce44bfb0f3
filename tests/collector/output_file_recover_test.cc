#include <gtest/gtest.h>

#include <vector>

#include "collector/damaged.h"
#include "collector/output_file.h"
#include "tests/collector/temporary_directory.h"

namespace fetchline {
namespace {

using Existing = OutputFile::Existing;
using Texts = std::vector<std::string>;

class OutputFileRecover : public testing::Test {
 protected:
  OutputFile recovered(const std::string& text) {
    write_file(path_, text);
    OutputFile file(path_, Existing::resume);
    lines_.clear();
    cut_bytes_ = file.recover([&](std::string_view line) {
      if (line.find("bad") != std::string_view::npos) return false;
      lines_.emplace_back(line);
      return true;
    });
    return file;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("results.ndjson");
  Texts lines_;
  std::uint64_t cut_bytes_ = 0;
};

TEST_F(OutputFileRecover, KeepsWhatIsThereAsIfItHadBeenAppended) {
  OutputFile file = recovered("one\ntwo\n");
  EXPECT_EQ(lines_, (Texts{"one", "two"}));
  EXPECT_EQ(cut_bytes_, 0U);
  EXPECT_EQ(file.accepted_bytes(), 8U);
  file.append("three\n");
  file.flush();
  EXPECT_EQ(read_file(path_), "one\ntwo\nthree\n");
  OutputFile whole(directory_.file("whole"), Existing::refuse);
  whole.append("one\ntwo\nthree\n");
  EXPECT_EQ(file.sha256(), whole.sha256());
}

TEST_F(OutputFileRecover, CutsALastLineWhereverItTore) {
  for (const std::string torn : {"t", "tw", "two", "bad"}) {
    OutputFile file = recovered("one\n" + torn);
    EXPECT_EQ(lines_, Texts{"one"});
    EXPECT_EQ(cut_bytes_, torn.size());
    file.append("x\n");
    file.flush();
    EXPECT_EQ(read_file(path_), "one\nx\n");
  }
}

TEST_F(OutputFileRecover, AnEmptyFileAndAFirstLineThatToreAreNothing) {
  (void)recovered("");
  EXPECT_EQ(lines_, Texts{});
  (void)recovered("on");
  EXPECT_EQ(lines_, Texts{});
  EXPECT_EQ(read_file(path_), "");
}

TEST_F(OutputFileRecover, RefusesALineThatIsNotTheOneDueAndNamesItsPlace) {
  const std::string text = "one\nbad\nthree\nfour";
  try {
    (void)recovered(text);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DamagedError& error) {
    EXPECT_EQ(error.what(), path_ + ": damaged at byte 4: not the record due here");
  }
  EXPECT_EQ(read_file(path_), text) << "and leaves it alone";
}

TEST_F(OutputFileRecover, FindsLinesAcrossTheBlocksThatItReads) {
  const std::string huge(3 * OutputFile::kRoomBytes + 17, 'h');
  const std::string small(OutputFile::kRoomBytes - 5, 's');
  OutputFile file = recovered(small + "\nab\n" + huge + "\n" + huge);
  EXPECT_EQ(lines_, (Texts{small, "ab", huge}));
  EXPECT_EQ(cut_bytes_, huge.size());
}

TEST_F(OutputFileRecover, CutsWhatTheLossOfPowerLeftAHoleIn) {
  const std::string hole(100, '\0');
  OutputFile file = recovered("one\nbad" + hole + "\nthree\n");
  EXPECT_EQ(lines_, Texts{"one"});
  EXPECT_EQ(file.accepted_bytes(), 4U);
  EXPECT_EQ(read_file(path_), "one\n");
}

TEST_F(OutputFileRecover, RefusesAHoleThatIsFarFromTheEnd) {
  write_file(path_, "one\nbad" + std::string(10, '\0') + "\n");
  std::ofstream(path_, std::ios::app) << std::string(std::size_t{65} << 20, 'x');
  OutputFile file(path_, Existing::resume);
  EXPECT_THROW((void)file.recover([](std::string_view line) { return line == "one"; }),
               DamagedError);
}

// The sum that a file with this text has.
OutputSum sum_of(const std::string& text) {
  TemporaryDirectory directory;
  OutputFile file(directory.file("f"), Existing::refuse);
  file.append(text);
  return file.sum();
}

std::string damage_of(const std::string& path, const std::vector<OutputSum>& sums) try {
  OutputFile file(path, Existing::resume);
  (void)file.recover([](std::string_view) { return true; }, sums);
  return "none";
} catch (const DamagedError& error) {
  return error.what();
}

TEST_F(OutputFileRecover, HoldsItsFrontAgainstTheSumsItHad) {
  const std::string text = "one\ntwo\nthree\nfour\n";
  const std::vector<OutputSum> sums = {sum_of(text.substr(0, 4)), sum_of(text.substr(0, 14)),
                                       sum_of(text + "five\n")};
  write_file(path_, text);
  EXPECT_EQ(damage_of(path_, sums), "none") << "what was cut off has no sum any more";
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') continue;
    std::string changed = text;
    changed[at] = 'X';
    write_file(path_, changed);
    const std::string range = at < 4 ? "0 and 4" : "4 and 14";
    const std::string expected =
        path_ + ": damaged between byte " + range + ": its sha256 is not the one that it had";
    EXPECT_EQ(damage_of(path_, sums), at < 14 ? expected : "none") << at;
  }
}

TEST_F(OutputFileRecover, HoldsMoreThanItReadsAtATimeAgainstItsSums) {
  std::string text;
  std::vector<OutputSum> sums;
  while (text.size() < 3 * OutputFile::kRoomBytes) {
    text += std::string(100'000, 'x') + "\n";
    sums.push_back(sum_of(text));
  }
  write_file(path_, text);
  EXPECT_EQ(damage_of(path_, sums), "none");
  text[2'500'000] = 'y';
  write_file(path_, text);
  EXPECT_NE(damage_of(path_, sums).find("between byte 2400024 and 2500025"), std::string::npos)
      << damage_of(path_, sums);
}

}  // namespace
}  // namespace fetchline
