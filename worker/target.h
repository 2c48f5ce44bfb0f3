// The URL of one transfer as libcurl is given it. Owned by the transfer, on its fetcher's thread;
// outlives the use of its handle.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace fetchline {

class Target {
 public:
  // The handle's, from its next transfer on.
  [[nodiscard]] CURLcode set(CURL* easy, const std::string& url);

 private:
  [[nodiscard]] bool take_parts(const std::string& url);

  struct Cleanup {
    void operator()(CURLU* parts) const { curl_url_cleanup(parts); }
  };
  std::unique_ptr<CURLU, Cleanup> parts_;
  std::string origin_;  // whose parts are set, "http://host:port"
};

}  // namespace fetchline
