#include "worker/transfer.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <new>

#include "worker/job_options.h"
#include "worker/multi.h"
#include "worker/plain_url.h"

namespace fetchline {

HeaderList::HeaderList(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list_.release());  // `longer` has the same head, or is the first one
    list_.reset(longer);
  }
}

Transfer::Transfer(const JobSettings& settings, const HeaderList& headers,
                   const TransferBounds& bounds)
    : settings_(settings),
      job_headers_(headers),
      bounds_(bounds),
      easy_(curl_easy_init()),
      share_(bounds.budget),
      hops_(bounds.allow_net) {
  if (!easy_) throw std::bad_alloc();
}

Transfer& Transfer::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<Transfer*>(self);
}

CURLcode Transfer::prepare(const Request& request, const std::string& url,
                           std::chrono::milliseconds max_time) {
  constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t cap = settings_.max_filesize_bytes;
  response_.begin(cap == 0 ? kNoLimit : cap, settings_.compressed);
  has_no_body_ = request.method == "HEAD";
  repeats_ = may_repeat(request.method, true, settings_.retry_unsafe);
  hops_.begin();
  max_time_ = max_time;
  no_goodbye_ = false;
  sent_before_ = 0;
  answered_before_ = 0;
  first_paused_.reset();
  error_.front() = '\0';

  const bool as_job = request.as_job && max_time == settings_.max_time;
  CURLcode result = as_job && as_job_ ? CURLE_OK : set_options(request, max_time);
  if (result == CURLE_OK) result = target_.set(easy(), url);
  as_job_ = as_job && result == CURLE_OK;
  if (result != CURLE_OK) {  // else it would tell of its last transfer
    curl_easy_reset(easy());
    curl_easy_setopt(easy(), CURLOPT_PRIVATE, static_cast<void*>(this));
  }
  return result;
}

// A handle whose last transfer failed early still has its buffer. A reset forgets how large that
// is, and libcurl 7.88 lets nobody say it again: such a handle must not be used any more.
void Transfer::reset() {
  const auto size_buffer = [this] {
    return curl_easy_setopt(easy(), CURLOPT_BUFFERSIZE, static_cast<long>(bounds_.receive_bytes));
  };
  curl_easy_reset(easy());
  if (size_buffer() == CURLE_OK) return;
  easy_.reset(curl_easy_init());
  if (!easy_ || size_buffer() != CURLE_OK) throw std::bad_alloc();
}

CURLcode Transfer::set_options(const Request& request, std::chrono::milliseconds max_time) {
  reset();
  own_headers_ = HeaderList(request.headers);
  CURLcode result = set_job_options();
  if (result != CURLE_OK) return result;
  result = set_request(request, request.as_job ? job_headers_ : own_headers_);
  if (result != CURLE_OK) return result;
  return Options(easy()).set_ms(CURLOPT_TIMEOUT_MS, max_time).result();
}

CURLcode Transfer::set_job_options() {
  Options options(easy());
  options.set(CURLOPT_PRIVATE, static_cast<void*>(this))
      .set(CURLOPT_ERRORBUFFER, error_.data())
      .set(CURLOPT_HEADERFUNCTION, &Transfer::on_header)
      .set(CURLOPT_HEADERDATA, static_cast<void*>(this))
      .set(CURLOPT_WRITEFUNCTION, &Transfer::on_body)
      .set(CURLOPT_WRITEDATA, static_cast<void*>(this))
      .set(CURLOPT_NOPROGRESS, 0L)
      .set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress)
      .set(CURLOPT_XFERINFODATA, static_cast<void*>(this))
      .set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_connect)
      .set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this))
      .set(CURLOPT_CLOSESOCKETFUNCTION, &Transfer::on_close)
      .set(CURLOPT_CLOSESOCKETDATA, static_cast<void*>(&bounds_.sockets))
      .set(CURLOPT_PREREQFUNCTION, &Transfer::on_request)
      .set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  if (settings_.proxy.empty()) {
    options.set(CURLOPT_RESOLVER_START_FUNCTION, &Transfer::on_lookup)
        .set(CURLOPT_RESOLVER_START_DATA, static_cast<void*>(this));
  }
  fetchline::set_job_options(options, settings_);
  return options.result();
}

CURLcode Transfer::set_request(const Request& request, const HeaderList& headers) {
  Options options(easy());
  options.set(CURLOPT_HTTPHEADER, headers.get());
  const std::string method(request.method);
  if (method == "HEAD") {
    options.set(CURLOPT_NOBODY, 1L);
  } else if (request.body != nullptr || method == "POST") {
    options.set(CURLOPT_POST, 1L)
        .set(CURLOPT_POSTFIELDSIZE_LARGE,
             static_cast<curl_off_t>(request.body != nullptr ? request.body->size() : 0))
        .set(CURLOPT_POSTFIELDS, request.body != nullptr ? request.body->data() : "");
    // Not for POST: a custom method would also be used after a redirect that asks for a GET.
    if (method != "POST") options.set(CURLOPT_CUSTOMREQUEST, method);
  } else if (method != "GET") {
    options.set(CURLOPT_CUSTOMREQUEST, method);
  }
  return options.result();
}

std::size_t Transfer::on_header(char* bytes, std::size_t /*one*/, std::size_t count, void* self) {
  Response& response = static_cast<Transfer*>(self)->response_;
  return response.take_header_line({bytes, count}) ? count : 0;
}

std::size_t Transfer::on_body(char* bytes, std::size_t /*one*/, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  Response& response = transfer.response_;
  if (!response.body_started()) {
    curl_off_t length = -1;
    curl_easy_getinfo(transfer.easy(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (transfer.announces_too_much(length)) {
      response.stop(StopReason::body_cap);
      return 0;
    }
    if (length > 0) response.expect_body(static_cast<std::uint64_t>(length));
  }
  // A coded piece may become more than its share; the next one waits for that.
  if (!transfer.share_.cover(response.body_bytes() + count)) {
    if (!transfer.first_paused_) transfer.first_paused_ = std::chrono::steady_clock::now();
    return CURL_WRITEFUNC_PAUSE;
  }
  return response.take_body({bytes, count}) || count == 0 ? count : 0;
}

CURLcode Transfer::resume(bool is_head) {
  if (!is_paused() || !share_.ask_again(is_head)) return CURLE_OK;
  return curl_easy_pause(easy(), CURLPAUSE_CONT);
}

void Transfer::release() {
  response_.release();
  share_.release();
}

// Not CURLOPT_MAXFILESIZE: it counts bytes on the wire, and 7.88 looks at Content-Length only.
bool Transfer::announces_too_much(curl_off_t length) const {
  return !response_.is_coded() && length >= 0 &&
         static_cast<std::uint64_t>(length) > response_.max_body_bytes();
}

namespace {

template <class Value>
Value fact(CURL* easy, CURLINFO which) {
  Value value{};
  curl_easy_getinfo(easy, which, &value);
  return value;
}

// Null: none, or none any more.
const SSL* tls_of(CURL* easy) {
  const char* scheme = fact<const char*>(easy, CURLINFO_SCHEME);
  if (scheme == nullptr || curl_strequal(scheme, "https") == 0) return nullptr;
  const auto* session = fact<curl_tlssessioninfo*>(easy, CURLINFO_TLS_SSL_PTR);
  if (session == nullptr || session->backend != CURLSSLBACKEND_OPENSSL) return nullptr;
  return static_cast<const SSL*>(session->internals);
}

}  // namespace

// libcurl 7.88 takes a lost TLS connection for one that was ended. It asks here a last time when
// the body has come to its end and the connection is still there. And often before.
int Transfer::on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(self);
  // The body of a redirect that is followed comes by nobody else.
  if (!transfer.response_.body_started() &&
      static_cast<std::uint64_t>(received) > transfer.response_.max_body_bytes()) {
    transfer.response_.stop(StopReason::body_cap);
    return 1;
  }
  if (transfer.has_no_body_ || !transfer.response_.ends_with_connection()) {
    transfer.no_goodbye_ = false;
  } else if (const SSL* tls = tls_of(transfer.easy())) {
    transfer.no_goodbye_ = (SSL_get_shutdown(tls) & SSL_RECEIVED_SHUTDOWN) == 0;
  }
  return 0;
}

// Called before a connection is made to a host, be it an address, that is not in libcurl's cache.
// Anything but 0 ends the transfer with CURLE_COULDNT_RESOLVE_HOST.
int Transfer::on_lookup(void*, void*, void* self) {
  return static_cast<Transfer*>(self)->may_look_up() ? 0 : 1;
}

bool Transfer::may_look_up() {
  if (response_.final_answers() > 0 || fact<long>(easy(), CURLINFO_REQUEST_SIZE) > 0) return true;
  const std::string_view authority = authority_of(url());
  if (is_address(authority)) return true;
  // As libcurl's cache: one for each Multi, by name and port.
  const std::string_view origin(url().data(), authority.data() + authority.size());
  const std::string name = std::to_string(multi_->number()).append(" ").append(origin);
  const auto now = NameGate::Clock::now();
  return bounds_.names.ask(ticket_, name, patience(), now) == NameGate::Answer::go;
}

std::string_view Transfer::url() const {
  const char* url = fact<const char*>(easy(), CURLINFO_EFFECTIVE_URL);
  return url == nullptr ? std::string_view() : url;
}

std::chrono::milliseconds Transfer::patience() const {
  constexpr std::chrono::milliseconds kOfLibcurl{300'000};
  const auto connect_timeout = settings_.connect_timeout;
  const auto patience = connect_timeout.count() > 0 ? connect_timeout : kOfLibcurl;
  return max_time_.count() > 0 ? std::min(patience, max_time_) : patience;
}

void Transfer::has_addresses() {
  bounds_.names.found(ticket_);
  lookup_ = FileDescriptor();
}

void Transfer::keep_lookup(int socket) {
  if (!ticket_.looks_up() || lookup_.is_open()) return;
  lookup_ = FileDescriptor(fcntl(socket, F_DUPFD_CLOEXEC, 0));
}

// Called for each address that the name has come to, the proxy's when there is one. What is refused
// here is as if nobody listened there: libcurl tries the next.
curl_socket_t Transfer::on_connect(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.ticket_.looks_up()) transfer.has_addresses();
  const auto ip = IpAddress::of(address->addr);
  if (!ip || !transfer.hops_.may_connect(*ip, transfer.response_.final_answers() > 0)) {
    return CURL_SOCKET_BAD;
  }
  const int connection =
      socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (connection >= 0) transfer.bounds_.sockets.opened(connection);
  return connection;
}

// Of a connection that any transfer of the fetcher made.
int Transfer::on_close(void* sockets, curl_socket_t socket) {
  static_cast<WatchedSockets*>(sockets)->closing(socket);
  return close(socket);
}

// A connection that is there already was not asked about.
int Transfer::on_request(void* self, char* address, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.ticket_.looks_up()) transfer.has_addresses();
  const auto ip = IpAddress::parse(address);
  if (!ip || !transfer.hops_.may_send(*ip, transfer.response_.final_answers() > 0)) {
    transfer.response_.stop(StopReason::blocked);
    return CURL_PREREQFUNC_ABORT;
  }
  if (!transfer.repeats_ && transfer.would_repeat()) {
    transfer.response_.stop(StopReason::would_repeat);
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

// libcurl repeats by itself what it sent on a kept connection that then died without an answer.
// The origin may have acted on it: such a request is only repeated when it is safe to.
bool Transfer::would_repeat() {
  const long sent = fact<long>(easy(), CURLINFO_REQUEST_SIZE);
  const std::size_t answered = response_.final_answers();
  if (sent > sent_before_ && answered == answered_before_) return true;
  sent_before_ = sent;
  answered_before_ = answered;
  return false;
}

namespace {

std::string text_of(CURL* easy, CURLINFO which) {
  const char* text = fact<const char*>(easy, which);
  return text == nullptr ? std::string() : std::string(text);
}

std::chrono::microseconds time_of(CURL* easy, CURLINFO which) {
  return std::chrono::microseconds(fact<curl_off_t>(easy, which));
}

std::string http_version_of(CURL* easy) {
  switch (fact<long>(easy, CURLINFO_HTTP_VERSION)) {
    case CURL_HTTP_VERSION_1_0:
      return "1.0";
    case CURL_HTTP_VERSION_1_1:
      return "1.1";
    case CURL_HTTP_VERSION_2_0:
      return "2";
    case CURL_HTTP_VERSION_3:
      return "3";
    default:
      return {};
  }
}

void describe_connection(CURL* easy, Result& result) {
  result.remote_ip = text_of(easy, CURLINFO_PRIMARY_IP);
  result.size_download =
      static_cast<std::uint64_t>(fact<curl_off_t>(easy, CURLINFO_SIZE_DOWNLOAD_T));
  result.time_namelookup = time_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
  result.time_connect = time_of(easy, CURLINFO_CONNECT_TIME_T);
  result.time_appconnect = time_of(easy, CURLINFO_APPCONNECT_TIME_T);
  result.time_starttransfer = time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
  result.time_total = time_of(easy, CURLINFO_TOTAL_TIME_T);
}

void describe_answer(CURL* easy, Result& result) {
  result.response_code = static_cast<std::int32_t>(fact<long>(easy, CURLINFO_RESPONSE_CODE));
  if (result.response_code != 0) result.http_version = http_version_of(easy);
  result.content_type = text_of(easy, CURLINFO_CONTENT_TYPE);
  result.num_redirects = static_cast<std::uint32_t>(fact<long>(easy, CURLINFO_REDIRECT_COUNT));
  const char* effective = fact<const char*>(easy, CURLINFO_EFFECTIVE_URL);
  if (effective != nullptr && result.url != effective) result.url_effective = effective;
}

}  // namespace

TransferEnd Transfer::end_of(CURLcode code) const {
  TransferEnd end{.code = code,
                  .stopped = response_.stopped(),
                  .response_code = fact<long>(easy(), CURLINFO_RESPONSE_CODE),
                  .request_sent = fact<long>(easy(), CURLINFO_REQUEST_SIZE) > 0};
  if (code == CURLE_OK && !response_.is_whole()) end.stopped = StopReason::cut_short;
  if (code == CURLE_OK && no_goodbye_) end.stopped = StopReason::no_goodbye;
  if (code != CURLE_OK && !hops_.refusal().empty()) end.stopped = StopReason::blocked;
  // libcurl's word for a header line beyond its own limit, which is above ours.
  if (code == CURLE_OUT_OF_MEMORY && end.request_sent) end.stopped = StopReason::header_bytes;
  return end;
}

std::chrono::microseconds Transfer::took() const { return time_of(easy(), CURLINFO_TOTAL_TIME_T); }

std::optional<std::chrono::milliseconds> Transfer::retry_after(
    std::chrono::system_clock::time_point now) const {
  curl_header* header = nullptr;
  if (curl_easy_header(easy(), "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
    return std::nullopt;
  }
  return parse_retry_after(header->value, now);
}

void Transfer::describe(const TransferEnd& end, Result& result) {
  describe_connection(easy(), result);
  describe_answer(easy(), result);
  result.exitcode = exit_code_of(end);
  result.errormsg =
      end.stopped == StopReason::blocked ? hops_.refusal() : std::string(message_of(end.stopped));
  if (result.errormsg.empty() && end.code != CURLE_OK) {
    result.errormsg = error_.front() != '\0' ? error_.data() : curl_easy_strerror(end.code);
  }
  result.header_block = response_.take_header_block();
  if (end.code == CURLE_OK && end.stopped == StopReason::none) result.body = response_.take_body();
}

}  // namespace fetchline
