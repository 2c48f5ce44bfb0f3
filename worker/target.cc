#include "worker/target.h"

#include "worker/plain_url.h"

namespace fetchline {
namespace {

bool set_part(CURLU* parts, CURLUPart part, const char* text) {
  return curl_url_set(parts, part, text, 0) == CURLUE_OK;
}

// Null for what is empty.
bool set_part(CURLU* parts, CURLUPart part, std::string_view text) {
  if (text.empty()) return set_part(parts, part, nullptr);
  return set_part(parts, part, std::string(text).c_str());
}

}  // namespace

CURLcode Target::set(CURL* easy, const std::string& url) {
  // What is set by CURLOPT_URL too is the transfer's CURLINFO_EFFECTIVE_URL.
  CURLU* const parts = take_parts(url) ? parts_.get() : nullptr;
  const CURLcode result = curl_easy_setopt(easy, CURLOPT_CURLU, parts);
  return result == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_URL, url.c_str()) : result;
}

// Only the path and the query where the rest is as it was.
bool Target::take_parts(const std::string& url) {
  const auto plain = plain_url(url);
  if (!plain) return false;
  const auto origin = std::string_view(url.data(), plain->path.data());
  if (origin_ != origin) {
    origin_.clear();
    parts_.reset(curl_url());
    const bool taken = set_part(parts_.get(), CURLUPART_SCHEME, plain->scheme) &&
                       set_part(parts_.get(), CURLUPART_HOST, plain->host) &&
                       set_part(parts_.get(), CURLUPART_PORT, plain->port);
    if (!taken) return false;
    origin_ = origin;
  }
  return set_part(parts_.get(), CURLUPART_PATH, plain->path) &&
         set_part(parts_.get(), CURLUPART_QUERY, plain->query);
}

}  // namespace fetchline
