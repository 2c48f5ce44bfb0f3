// The pieces of JSON text that a record is made of, appended to a string. Pure.
// What is appended is always valid JSON and valid UTF-8, whatever the bytes were, and never holds
// a line break.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fetchline {

[[nodiscard]] std::string to_utf8(std::string_view bytes);  // what is no UTF-8 is read as Latin-1
[[nodiscard]] bool is_utf8(std::string_view bytes);

// Whether it can stand in a record as it is: one JSON value, no line break.
[[nodiscard]] bool is_json_on_one_line(std::string_view text);

// A JSON string, quotes included. Bytes that are not UTF-8 as a whole are read as Latin-1, which
// is what an HTTP header or an old server's message in another encoding most likely is; that never
// fails and loses nothing. What a terminal would obey (C1 controls, marks of the direction of
// writing) is escaped too: it is the words of strangers.
void append_json_text(std::string& out, std::string_view bytes);

// The same for text that is_utf8() already: saves the second look at a large body.
void append_json_utf8(std::string& out, std::string_view utf8);

// A JSON string that holds the base64 of `bytes`.
void append_json_base64(std::string& out, std::string_view bytes);

// Parts of such strings, without quotes: what several append is what one would have, wherever the
// text is cut, and base64 where it is cut at multiples of kBase64Group.
inline constexpr std::size_t kBase64Group = 3;
void append_json_utf8_part(std::string& out, std::string_view utf8);
void append_json_base64_part(std::string& out, std::string_view bytes);

// Seconds with 1 to 6 decimals, exact: 0.0, 1.25, 0.000001. Negative times become 0.0.
void append_json_seconds(std::string& out, std::chrono::microseconds time);

// A JSON string such as "2026-01-01T00:00:00.000Z" for a time since the Unix epoch. Times outside
// of the years 1970 to 9999 become the nearest end, so that the width never changes.
void append_json_utc(std::string& out, std::chrono::milliseconds since_epoch);

void append_json_number(std::string& out, std::uint64_t number);
void append_json_number(std::string& out, std::int32_t number);

}  // namespace fetchline
