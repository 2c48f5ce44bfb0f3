// bench-loop: the loops on libcurl that fetchline is measured against.
//
//   B0  bench-loop --urls FILE                 one multi handle, as nearly everybody writes it
//   B1  bench-loop --urls FILE --shards K      K multi handles on one epoll, a host keeps to its
//                                              shard, the options of fetchline's worker
//   B2  B1 with --output FILE                  bodies written in the order in which they come
//
// Nothing else is done: no retry, no record, no order. Prints what it cost as JSON.
#include <curl/curl.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tests/bench/arguments.h"

namespace fetchline::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlockBytes = 256 * 1024;  // of output, as fetchline's collector writes

struct Options {
  std::vector<std::string> urls;
  std::size_t concurrency = 64;
  std::size_t shards = 0;  // 0: B0
  std::string output;      // empty: bodies are discarded
  [[nodiscard]] bool plain() const { return shards == 0; }
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

std::string_view authority_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find('/'));
}

class BodyFile {
 public:
  explicit BodyFile(const std::string& path) {
    if (path.empty()) return;
    fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path);
  }
  [[nodiscard]] bool wanted() const { return fd_ >= 0; }
  void append(const std::string& body) {
    block_ += body;
    if (block_.size() >= kBlockBytes) flush();
  }
  void flush() {
    if (fd_ >= 0 && write(fd_, block_.data(), block_.size()) < 0) perror("bench-loop: write");
    block_.clear();
  }

 private:
  int fd_ = -1;
  std::string block_;
};

struct Shard;

// An easy handle; only its URL changes from transfer to transfer.
struct Transfer {
  CURL* easy = curl_easy_init();
  Shard* shard = nullptr;
  std::string body;
};

struct Shard {
  CURLM* multi = curl_multi_init();
  int epoll = -1;
  std::uint32_t number = 0;
  std::size_t size = 0;
  std::optional<Clock::time_point> due;
};

std::size_t discard(char*, std::size_t, std::size_t count, void*) { return count; }

std::size_t keep(char* bytes, std::size_t, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(bytes, count);
  return count;
}

int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
  auto& shard = *static_cast<Shard*>(self);
  epoll_event event{};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  event.data.u64 = std::uint64_t{shard.number} << 32 | static_cast<std::uint32_t>(socket);
  const int change = known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  epoll_ctl(shard.epoll, what == CURL_POLL_REMOVE ? EPOLL_CTL_DEL : change, socket, &event);
  if (known == nullptr && what != CURL_POLL_REMOVE) curl_multi_assign(shard.multi, socket, &shard);
  return 0;
}

int on_timer(CURLM*, long timeout_ms, void* self) {
  auto& due = static_cast<Shard*>(self)->due;
  due.reset();
  if (timeout_ms >= 0) due = Clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

class Loop {
 public:
  explicit Loop(Options options)
      : options_(std::move(options)),
        output_(options_.output),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        shards_(std::max<std::size_t>(options_.shards, 1)),
        transfers_(std::min(options_.concurrency, options_.urls.size())) {
    const std::size_t share = options_.concurrency / shards_.size();
    roomy_ = share + share / 4;
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      shards_[i].number = i;
      set_up(shards_[i], share + 64);
    }
    for (Transfer& transfer : transfers_) set_up(transfer);
  }

  // How many failed.
  std::size_t run() {
    for (Transfer& transfer : transfers_) start_next(transfer);
    while (done_ < options_.urls.size()) turn();
    output_.flush();
    return failed_;
  }

 private:
  void set_up(Shard& shard, std::size_t connections) const {
    shard.epoll = epoll_;
    curl_multi_setopt(shard.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(shard.multi, CURLMOPT_SOCKETDATA, &shard);
    curl_multi_setopt(shard.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(shard.multi, CURLMOPT_TIMERDATA, &shard);
    curl_multi_setopt(shard.multi, CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
  }

  void set_up(Transfer& transfer) const {
    CURL* const easy = transfer.easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, output_.wanted() ? keep : discard);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer.body);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (options_.plain()) return;
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 60'000L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "bench-loop");
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  }

  // The host's own, or the first after it with room, as fetchline's worker does it.
  Shard& shard_for(std::string_view url) {
    if (shards_.size() == 1) return shards_.front();
    const std::size_t home = std::hash<std::string_view>{}(authority_of(url)) % shards_.size();
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      Shard& shard = shards_[(home + i) % shards_.size()];
      if (shard.size < roomy_) return shard;
    }
    return shards_[home];
  }

  void start_next(Transfer& transfer) {
    if (started_ == options_.urls.size()) return;
    const std::string& url = options_.urls[started_++];
    transfer.shard = &shard_for(url);
    ++transfer.shard->size;
    curl_easy_setopt(transfer.easy, CURLOPT_URL, url.c_str());
    curl_multi_add_handle(transfer.shard->multi, transfer.easy);
  }

  void turn() {
    const int count =
        epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), wait_ms());
    int running = 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      int action = (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 ? CURL_CSELECT_IN : 0;
      if ((event.events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
      curl_multi_socket_action(shards_[event.data.u64 >> 32].multi,
                               static_cast<int>(event.data.u64 & 0xffffffffU), action, &running);
    }
    const auto now = Clock::now();
    for (Shard& shard : shards_) {
      if (shard.due && *shard.due <= now) {
        shard.due.reset();
        curl_multi_socket_action(shard.multi, CURL_SOCKET_TIMEOUT, 0, &running);
      }
      reap(shard);
    }
  }

  [[nodiscard]] int wait_ms() const {
    const auto now = Clock::now();
    auto wait = std::chrono::milliseconds(100);
    for (const Shard& shard : shards_) {
      if (!shard.due) continue;
      wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*shard.due - now));
    }
    return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
  }

  void reap(Shard& shard) {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(shard.multi, &left)) {
      char* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      auto& transfer = *reinterpret_cast<Transfer*>(owner);
      if (message->data.result != CURLE_OK) ++failed_;
      curl_multi_remove_handle(shard.multi, transfer.easy);
      --shard.size;
      ++done_;
      if (output_.wanted()) output_.append(transfer.body);
      transfer.body.clear();
      start_next(transfer);
    }
  }

  const Options options_;
  BodyFile output_;
  const int epoll_;
  std::vector<Shard> shards_;
  std::vector<Transfer> transfers_;
  std::size_t roomy_ = 0;
  std::array<epoll_event, 1024> events_{};
  std::size_t started_ = 0, done_ = 0, failed_ = 0;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

void print_cost(std::size_t urls, std::size_t failed, double wall) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const double user = seconds(used.ru_utime);
  const double sys = seconds(used.ru_stime);
  std::printf(R"({"urls":%zu,"failed":%zu,"wall_s":%.4f,"user_s":%.4f,"sys_s":%.4f,)"
              R"("cpu_us_per_url":%.2f,"max_rss_kb":%ld})"
              "\n",
              urls, failed, wall, user, sys, (user + sys) * 1e6 / static_cast<double>(urls),
              used.ru_maxrss);
  std::fflush(stdout);
}

int main_of(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            {{"urls", ""}, {"concurrency", "64"}, {"shards", "0"}, {"output", ""}});
  Options options{.urls = lines_of(arguments.text("urls")),
                  .concurrency = arguments.number<std::size_t>("concurrency"),
                  .shards = arguments.number<std::size_t>("shards"),
                  .output = arguments.text("output")};
  const std::size_t urls = options.urls.size();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto start = Clock::now();
  // Never freed: taking 10,000 connections apart is no part of what is compared.
  const std::size_t failed = (new Loop(std::move(options)))->run();
  print_cost(urls, failed, std::chrono::duration<double>(Clock::now() - start).count());
  _exit(failed == 0 ? 0 : 1);
}

}  // namespace
}  // namespace fetchline::bench

int main(int argc, char** argv) {
  try {
    return fetchline::bench::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-loop: %s\n", error.what());
    return 1;
  }
}
