#include "proto/ids.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace fetchline {
namespace {

void fill_random(void* into, std::size_t size) {
  auto* bytes = static_cast<std::uint8_t*>(into);
  while (size > 0) {
    const auto got = getrandom(bytes, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

JobId random_job_id() {
  JobId job;
  do fill_random(job.bytes.data(), job.bytes.size());
  while (job.is_none());
  return job;
}

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  while (value == 0) fill_random(&value, sizeof value);
  return value;
}

std::string to_string(const JobId& job) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(job.bytes.size() * 2);
  for (const std::uint8_t byte : job.bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::optional<JobId> parse_job_id(std::string_view hex) {
  JobId job;
  if (hex.size() != job.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < job.bytes.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    job.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return job;
}

}  // namespace fetchline
