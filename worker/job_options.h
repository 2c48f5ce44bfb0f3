// What libcurl is told for every task of a job: whom it may reach, whom to believe, how patient to
// be, in what manner to ask.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <string>

#include "proto/task.h"

namespace fetchline {

// Sets options until one is refused and remembers that: an option that silently keeps its old
// value could be a proxy, or a limit.
class Options {
 public:
  explicit Options(CURL* easy) : easy_(easy) {}

  template <class Value>
  Options& set(CURLoption option, Value value) {
    if (result_ == CURLE_OK) result_ = curl_easy_setopt(easy_, option, value);
    return *this;
  }
  Options& set(CURLoption option, const std::string& text) { return set(option, text.c_str()); }
  Options& set_ms(CURLoption option, std::chrono::milliseconds time) {
    return set(option, static_cast<long>(time.count()));
  }
  [[nodiscard]] CURLcode result() const { return result_; }

 private:
  CURL* easy_;
  CURLcode result_ = CURLE_OK;
};

// `settings` may go once it has returned.
void set_job_options(Options& options, const JobSettings& settings);

}  // namespace fetchline
