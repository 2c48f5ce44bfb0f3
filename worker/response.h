// What an origin sends, line by line and piece by piece, kept within caps. Pure: bytes in, a stop
// out. Owned by a Transfer, on its fetcher's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "worker/decoder.h"
#include "worker/outcome.h"

namespace fetchline {

// Per response of a redirect chain. Far above what browsers and servers allow themselves, far
// below what a flood needs to hurt. The texts of message_of() name them.
inline constexpr std::size_t kMaxHeaderLines = 256;
inline constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMaxInterimResponses = 8;

// A coded body may become so many times as long as what was sent, once it is longer than
// kMaxBombBytes. What people write comes to 10, tables of zeros to 100; a bomb to 1000 and more.
inline constexpr std::uint64_t kMaxBombRatio = 100;
inline constexpr std::size_t kMaxBombBytes = 1024 * 1024;

class Response {
 public:
  // Forgets everything. The cap is on the body without its coding, if that is to be undone.
  void begin(std::uint64_t max_body_bytes, bool decodes);
  void release();  // the memory of what was received and not taken

  // A status line, header line, blank line or trailer, as libcurl passes them. False: end the
  // transfer, stopped() says why; the same for take_body.
  [[nodiscard]] bool take_header_line(std::string_view line);
  [[nodiscard]] bool take_body(std::string_view piece);

  // Called before the first piece: how much will come if the origin is right.
  void expect_body(std::uint64_t bytes);

  [[nodiscard]] StopReason stopped() const { return stopped_; }
  [[nodiscard]] std::size_t final_answers() const { return final_answers_; }  // 1xx not counted
  [[nodiscard]] bool body_started() const { return body_started_; }
  // An answer with all of its headers, and a body that ends where its coding says. libcurl checks
  // lengths and chunks, but takes headers that break off for an answer without a body.
  [[nodiscard]] bool is_whole() const {
    return final_answers_ > 0 && expects_ == Expects::status && (!decoder_ || decoder_->ended());
  }
  // Only the connection's end tells where the body of this answer ends (RFC 9112, 6.3), if the
  // request was one that gets a body.
  [[nodiscard]] bool ends_with_connection() const {
    return ends_with_connection_ && expects_ == Expects::status;
  }
  [[nodiscard]] bool is_coded() const { return coding_ != Coding::identity; }
  [[nodiscard]] std::size_t body_bytes() const { return body_.size(); }  // decoded, so far
  [[nodiscard]] std::uint64_t max_body_bytes() const { return max_body_bytes_; }
  void stop(StopReason reason) { stopped_ = reason; }

  // The last response's: header lines (CRLF each, unfolded, no status line) and decoded body.
  [[nodiscard]] std::string take_header_block();
  [[nodiscard]] std::string take_body();

 private:
  void start_answer(std::string_view status_line);
  void keep_header(std::string_view line);
  void read_headers();
  void note_length(std::string_view digits);
  void check_transfer(std::string_view coding);
  void note_coding(std::string_view name);
  [[nodiscard]] bool take_coded(std::string_view piece);
  [[nodiscard]] bool keep_body(std::string_view piece);

  enum class Expects : std::uint8_t { status, headers };

  std::uint64_t max_body_bytes_ = 0;
  StopReason stopped_ = StopReason::none;
  Expects expects_ = Expects::status;
  bool interim_ = false;
  bool ends_with_connection_ = false;
  bool body_started_ = false;
  std::size_t final_answers_ = 0;
  std::size_t interim_answers_ = 0;
  std::size_t header_lines_ = 0;
  std::size_t header_bytes_ = 0;
  std::string header_block_;
  bool decodes_ = false;
  std::optional<std::uint64_t> length_;  // as announced
  Coding coding_ = Coding::identity;     // that is to be undone
  std::unique_ptr<Decoder> decoder_;     // once there is a body
  std::uint64_t coded_bytes_ = 0;        // of it
  std::string body_;
};

}  // namespace fetchline
