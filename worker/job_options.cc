#include "worker/job_options.h"

#include <cstdlib>

#include "worker/request.h"

namespace fetchline {
namespace {

constexpr const char* kSchemes = "http,https";  // libcurl's own set has file and many more

void set_reach(Options& options, const JobSettings& settings) {
  options.set(CURLOPT_PROTOCOLS_STR, kSchemes)
      .set(CURLOPT_REDIR_PROTOCOLS_STR, kSchemes)
      .set(CURLOPT_PROXY, settings.proxy)  // "" keeps libcurl from reading the environment
      .set(CURLOPT_NOPROXY, "")
      .set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L)
      .set(CURLOPT_FOLLOWLOCATION, settings.follow_location ? 1L : 0L)
      .set(CURLOPT_MAXREDIRS, static_cast<long>(settings.max_redirs))
      .set(CURLOPT_SSL_VERIFYPEER, 1L)
      .set(CURLOPT_SSL_VERIFYHOST, 2L)
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

// Whom to believe: as curl's command line is told. libcurl by itself reads none of these, and
// built with a default file, as Debian's is, nor does OpenSSL.
void set_trust(Options& options) {
  const curl_version_info_data& libcurl = *curl_version_info(CURLVERSION_NOW);
  const char* file = environment("CURL_CA_BUNDLE");
  const char* directory = file == nullptr ? environment("SSL_CERT_DIR") : nullptr;
  if (file == nullptr) file = environment("SSL_CERT_FILE");
  // What it was built with. A file alone where there is one: to read it takes 20 ms, and libcurl
  // keeps what it read for later connections only when there is no directory besides.
  if (file == nullptr && directory == nullptr) file = libcurl.cainfo;
  if (file == nullptr && directory == nullptr) directory = libcurl.capath;
  options.set(CURLOPT_CAINFO, file).set(CURLOPT_PROXY_CAINFO, file);
  options.set(CURLOPT_CAPATH, directory).set(CURLOPT_PROXY_CAPATH, directory);
}

void set_patience(Options& options, const JobSettings& settings) {
  options.set_ms(CURLOPT_CONNECTTIMEOUT_MS, settings.connect_timeout)
      .set_ms(CURLOPT_TIMEOUT_MS, settings.max_time)
      .set(CURLOPT_NOSIGNAL, 1L)
      // Else the end of a transfer waits for its name lookup, and every other transfer with it.
      .set(CURLOPT_QUICK_EXIT, 1L);
  if (settings.speed_limit > 0) {
    options.set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(settings.speed_limit))
        .set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.speed_time.count()));
  }
}

long curl_version_of(JobSettings::HttpVersion version) {
  switch (version) {
    case JobSettings::HttpVersion::http1_1:
      return CURL_HTTP_VERSION_1_1;
    case JobSettings::HttpVersion::http2:
      return CURL_HTTP_VERSION_2_0;
    case JobSettings::HttpVersion::any:
      break;
  }
  return CURL_HTTP_VERSION_2TLS;
}

void set_manner(Options& options, const JobSettings& settings) {
  // Response decodes: see worker/decoder.h.
  options.set(CURLOPT_HTTP_VERSION, curl_version_of(settings.http_version))
      .set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  // To an origin it is a header as any other: see headers_of().
  if (!settings.proxy.empty()) options.set(CURLOPT_USERAGENT, user_agent_of(settings));
  if (!settings.user_password.empty()) {
    options.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC))
        .set(CURLOPT_USERPWD, settings.user_password);
  }
}

}  // namespace

void set_job_options(Options& options, const JobSettings& settings) {
  set_reach(options, settings);
  set_trust(options);
  set_patience(options, settings);
  set_manner(options, settings);
}

}  // namespace fetchline
