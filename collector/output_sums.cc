#include "collector/output_sums.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

namespace fetchline {
namespace {

constexpr std::size_t kSumDigits = 64;

std::string to_line(const OutputSum& sum) {
  return std::to_string(sum.bytes) + ' ' + sum.sha256 + '\n';
}

std::optional<OutputSum> sum_in(const std::string& line) {
  OutputSum sum;
  const auto end = std::from_chars(line.data(), line.data() + line.size(), sum.bytes).ptr;
  sum.sha256 = line.substr(static_cast<std::size_t>(end - line.data()));
  if (sum.sha256.size() != 1 + kSumDigits || sum.sha256[0] != ' ') return std::nullopt;
  sum.sha256.erase(0, 1);
  return sum;
}

std::uint64_t length_of(const std::vector<OutputSum>& sums, std::uint64_t bytes) {
  std::uint64_t length = 0;
  for (const OutputSum& sum : sums) length += sum.bytes <= bytes ? to_line(sum).size() : 0;
  return length;
}

}  // namespace

std::vector<OutputSum> read_output_sums(const std::string& path) {
  std::vector<OutputSum> sums;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line) && !file.eof();) {
    auto sum = sum_in(line);
    if (!sum || to_line(*sum) != line + '\n') break;
    if (!sums.empty() && sum->bytes <= sums.back().bytes) break;
    sums.push_back(std::move(*sum));
  }
  return sums;
}

OutputSums::OutputSums(const std::string& path, std::uint64_t bytes)
    : file_(AppendFile::create(path)), noted_bytes_(bytes) {
  if (std::error_code error; !std::filesystem::exists(path, error)) return;
  file_ = AppendFile::open(path);
  file_.cut(length_of(read_output_sums(path), bytes));
}

bool OutputSums::is_due(std::uint64_t bytes, Instant now, bool at_once) const {
  if (file_.pending_bytes() > 0) return true;
  if (bytes <= noted_bytes_) return false;
  return at_once || bytes - noted_bytes_ >= kApartBytes || now - noted_at_ >= kApart;
}

// One that found no room is written first.
void OutputSums::note(const OutputSum& sum, Instant now) {
  if (sum.bytes > noted_bytes_) file_.tail() += to_line(sum);
  noted_bytes_ = sum.bytes;
  noted_at_ = now;
  file_.flush();
}

}  // namespace fetchline
