// One transfer: an easy handle, its options, and what it received. Made for a job and used again
// and again for its tasks, because an easy handle costs 8 KB and some fifty options to set up.
//
// Owned by one fetcher, on its thread. Nothing here throws but bad_alloc: what libcurl refuses
// comes out as the transfer's CURLcode.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/file_descriptor.h"
#include "proto/result.h"
#include "proto/task.h"
#include "worker/body_budget.h"
#include "worker/hops.h"
#include "worker/name_gate.h"
#include "worker/outcome.h"
#include "worker/request.h"
#include "worker/response.h"
#include "worker/target.h"
#include "worker/watched_sockets.h"

namespace fetchline {

class Multi;

// Header lines as libcurl takes them.
class HeaderList {
 public:
  explicit HeaderList(const std::vector<std::string>& lines);
  [[nodiscard]] curl_slist* get() const { return list_.get(); }  // null when there is none

 private:
  struct Free {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, Free> list_;
};

// What holds for every transfer of a fetcher; outlives them.
struct TransferBounds {
  BodyBudget& budget;
  const AddressPolicy& allow_net;
  WatchedSockets& sockets;
  NameGate& names;
  std::size_t receive_bytes;  // of libcurl's buffer, 1 KiB to 512 KiB: held from start to end
};

class Transfer {
 public:
  // All outlive the transfer.
  Transfer(const JobSettings& settings, const HeaderList& headers, const TransferBounds& bounds);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Readies the handle; `url` is copied, the request's body is not. Anything but CURLE_OK: do not
  // start it. `max_time` 0: no limit.
  [[nodiscard]] CURLcode prepare(const Request& request, const std::string& url,
                                 std::chrono::milliseconds max_time);

  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] static Transfer& of(CURL* easy);

  // Marks for those it passes through: whose it is, and what runs it, null when nothing does.
  void set_owner(void* owner) { owner_ = owner; }
  [[nodiscard]] void* owner() const { return owner_; }
  void set_multi(Multi* multi) { multi_ = multi; }
  [[nodiscard]] Multi* multi() const { return multi_; }
  void set_parked(bool parked) { parked_ = parked; }  // until its name is known
  [[nodiscard]] bool is_parked() const { return parked_; }

  [[nodiscard]] std::string_view url() const;  // since it has run; of its last hop
  [[nodiscard]] NameGate::Ticket& ticket() { return ticket_; }
  // What libcurl hears through from the thread that looks up. Its other end closes with that
  // thread, which may be long after libcurl has stopped listening.
  void keep_lookup(int socket);
  [[nodiscard]] FileDescriptor take_lookup() { return std::exchange(lookup_, FileDescriptor()); }

  // It is paused until there is memory for more of its body; ends as any other when it takes too
  // long. resume() lets it go on if there is some now. `is_head`: the collector waits for it. An
  // error: it has ended with that, for libcurl hands over at once what it kept; it does not say so
  // again.
  [[nodiscard]] bool is_paused() const { return share_.waits(); }
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> first_paused() const {
    return first_paused_;
  }
  [[nodiscard]] CURLcode resume(bool is_head);

  // After its end. `code` is what libcurl said.
  [[nodiscard]] TransferEnd end_of(CURLcode code) const;
  [[nodiscard]] std::chrono::microseconds took() const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(
      std::chrono::system_clock::time_point now) const;

  // Moves what was received into the record. The body is whole or absent: what arrived before a
  // failure is dropped.
  void describe(const TransferEnd& end, Result& result);
  void release();  // what is left of it: idle, a transfer holds nothing

 private:
  struct Cleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };

  void reset();
  [[nodiscard]] CURLcode set_options(const Request& request, std::chrono::milliseconds max_time);
  [[nodiscard]] CURLcode set_job_options();
  [[nodiscard]] CURLcode set_request(const Request& request, const HeaderList& headers);
  static std::size_t on_header(char* bytes, std::size_t one, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t one, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static curl_socket_t on_connect(void* self, curlsocktype, curl_sockaddr* address);
  static int on_close(void* sockets, curl_socket_t socket);
  static int on_request(void* self, char* address, char*, int, int);
  static int on_lookup(void*, void*, void* self);
  [[nodiscard]] bool may_look_up();
  [[nodiscard]] std::chrono::milliseconds patience() const;
  void has_addresses();
  [[nodiscard]] bool would_repeat();
  [[nodiscard]] bool announces_too_much(curl_off_t length) const;

  const JobSettings& settings_;
  const HeaderList& job_headers_;
  const TransferBounds& bounds_;
  std::unique_ptr<CURL, Cleanup> easy_;
  Target target_;
  HeaderList own_headers_{{}};  // of the task, while the handle points to them
  bool as_job_ = false;         // the handle's options are the job's; only the URL differs
  void* owner_ = nullptr;
  Multi* multi_ = nullptr;
  bool parked_ = false;
  Response response_;
  BodyBudget::Share share_;
  std::optional<std::chrono::steady_clock::time_point> first_paused_;
  Hops hops_;
  NameGate::Ticket ticket_{this};
  FileDescriptor lookup_;
  std::chrono::milliseconds max_time_{0};
  bool repeats_ = true;              // its method is safe to repeat, or the user says so
  bool has_no_body_ = false;         // by its method
  bool no_goodbye_ = false;          // as of now; what counts is how it was at the end
  long sent_before_ = 0;             // request bytes, when the previous request went out
  std::size_t answered_before_ = 0;  // final answers, then
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace fetchline
