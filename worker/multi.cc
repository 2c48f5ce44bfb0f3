#include "worker/multi.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <stdexcept>

#include "worker/curl_memory.h"
#include "worker/transfer.h"

namespace fetchline {
namespace {

CURLcode start_libcurl() {
#ifdef __SANITIZE_ADDRESS__  // for which all that a thread has kept is in use
  return curl_global_init(CURL_GLOBAL_DEFAULT);
#else
  return curl_global_init_mem(CURL_GLOBAL_DEFAULT, &curl_memory::allocate, &curl_memory::release,
                              &curl_memory::reallocate, &curl_memory::duplicate,
                              &curl_memory::allocate_zeroed);
#endif
}

CURLM* new_multi() {
  // Thread-safe since 7.84, once a process, never undone: other threads may still use libcurl.
  static const CURLcode started = start_libcurl();
  CURLM* multi = started == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) throw std::runtime_error("libcurl does not start");
  return multi;
}

std::uint32_t events_of(int what) {
  std::uint32_t events = 0;
  if ((what & CURL_POLL_IN) != 0) events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
  return events;
}

// An error counts as readable: libcurl then reads it and tells what it was. CURL_CSELECT_ERR
// would only give "select/poll returned error".
int action_of(std::uint32_t events) {
  int action = 0;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) action |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
  return action;
}

// What HTTP/2 says on an idle connection is none of ours, nor is a resolver's socket.
bool speaks_http1(CURL* easy) {
  long version = CURL_HTTP_VERSION_NONE;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  return version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1;
}

}  // namespace

Multi::Multi(std::size_t max_connections, WatchedSockets& sockets, std::uint32_t number)
    : multi_(new_multi()), sockets_(sockets), number_(number) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // Without it libcurl keeps four idle connections per transfer, past any limit of descriptors.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(max_connections));
}

Multi::~Multi() { curl_multi_cleanup(multi_); }

void Multi::add(CURL* easy) {
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) return add_failed(easy, CURLE_FAILED_INIT);
  ++size_;
}

void Multi::add_failed(CURL* easy, CURLcode code) {
  failed_.push_back({easy, code});
  ++size_;
}

void Multi::fail(CURL* easy, CURLcode code) {
  curl_multi_remove_handle(multi_, easy);
  failed_.push_back({easy, code});
}

void Multi::remove(CURL* easy) noexcept {
  curl_multi_remove_handle(multi_, easy);
  std::erase_if(failed_, [easy](const Done& done) { return done.easy == easy; });
  --size_;
}

void Multi::act(int socket, std::uint32_t epoll_events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, action_of(epoll_events), &running);
}

void Multi::act_if_due(Clock::time_point now) {
  if (!due_ || now < *due_) return;
  due_.reset();  // before the call: libcurl sets the next one from inside it
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
}

std::optional<Multi::Clock::time_point> Multi::due() const {
  return failed_.empty() ? due_ : Clock::time_point::min();
}

std::optional<Multi::Done> Multi::next_done() {
  if (!failed_.empty()) {
    const Done done = failed_.back();
    failed_.pop_back();
    --size_;
    return done;
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi_, &left);
  if (message == nullptr) return std::nullopt;
  const Done done{message->easy_handle, message->data.result};
  curl_multi_remove_handle(multi_, done.easy);  // the message is gone with this call
  --size_;
  return done;
}

// Always 0: any other answer makes libcurl give up every transfer of this handle, while a socket
// that epoll refuses costs one transfer its time.
int Multi::on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* /*known*/) {
  const auto& multi = *static_cast<const Multi*>(self);
  if (what != CURL_POLL_REMOVE) {
    if (!multi.sockets_.is_connection(socket)) Transfer::of(easy).keep_lookup(socket);
    multi.sockets_.watch(socket, events_of(what), multi.number_);
  } else if (speaks_http1(easy) && !Transfer::of(easy).is_paused()) {
    multi.sockets_.watch_idle(socket, multi.number_);
  } else {
    multi.sockets_.forget(socket);
  }
  return 0;
}

// libcurl finds a connection dead when there is an end to be read and nothing before it.
void Multi::retire(int socket) {
  shutdown(socket, SHUT_RDWR);
  constexpr std::size_t kWhatever = std::size_t{1} << 30;
  recv(socket, nullptr, kWhatever, MSG_DONTWAIT | MSG_TRUNC);  // throws away what is there
  sockets_.forget(socket);
}

// Store only: libcurl must not be called from here.
int Multi::on_timer(CURLM* /*multi*/, long timeout_ms, void* self) {
  auto& due = static_cast<Multi*>(self)->due_;
  if (timeout_ms < 0) {
    due.reset();
  } else {
    due = Clock::now() + std::chrono::milliseconds(timeout_ms);
  }
  return 0;
}

}  // namespace fetchline
