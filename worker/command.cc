#include "worker/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "proto/emitter.h"
#include "proto/json_text.h"
#include "worker/spawn.h"

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
constexpr std::size_t kPiecesATurn = 16;                // so that no command keeps others waiting
constexpr std::size_t kMostOutput = kMaxEmitBytes - 1;  // a last newline may be added
constexpr std::size_t kShownBytes = 200;                // of stderr

// The shell enters its group with the guard, then becomes the command. A limit that is lower
// already stays.
std::string script_for(const CommandOptions& options) {
  std::string script = "echo \"+ $$\" >&3; exec 3>&-; ";
  if (options.max_memory_bytes > 0) {
    script += "ulimit -v " +
              std::to_string(std::max<std::uint64_t>(1, options.max_memory_bytes / 1024)) +
              " 2>/dev/null; ";
  }
  if (options.max_time.count() > 0) {
    // What leaves its group is not killed with it, but does not burn a core for ever.
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.max_time).count() * cores;
    script += "ulimit -t " + std::to_string(seconds) + " 2>/dev/null; ";
  }
  return script + "exec /bin/sh -c \"$1\"";
}

void set_nonblocking(const FileDescriptor& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// Appends what can be read now, `most` bytes of it at most. False at the end.
bool read_into(const FileDescriptor& fd, std::string& to, std::size_t most) {
  std::array<char, kPieceBytes> piece;
  const ssize_t got = read(fd.get(), piece.data(), piece.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  to.append(piece.data(), std::min(static_cast<std::size_t>(got), most));
  return got > 0;
}

// A shell tells of a signal that ended what it ran by 128 and its number.
bool is_stop(int status) {
  constexpr int kOfShell = 128;
  const int code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - kOfShell;
  return code == SIGTERM || code == SIGINT || code == SIGHUP;
}

std::string seconds_text(milliseconds time) {
  std::string text;
  append_json_seconds(text, time);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

}  // namespace

Command::Command(const CommandOptions& options, const Result& result, CommandGuard& guard,
                 Instant now)
    : max_time_(options.max_time), guard_(guard), input_(result) {
  PipeEnds in = open_pipe(), out = open_pipe(), err = open_pipe();
  for (const FileDescriptor* ours : {&in.write, &out.read, &err.read}) set_nonblocking(*ours);
  pid_ = spawn_shell(script_for(options), {options.command},
                     {in.read.get(), out.write.get(), err.write.get(), guard.fd()});
  end_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!end_.is_open()) {
    const int error = errno;
    reap();
    throw std::system_error(error, std::generic_category(), "pidfd_open");
  }
  stdin_ = std::move(in.write);
  stdout_ = std::move(out.read);
  stderr_ = std::move(err.read);
  if (max_time_.count() > 0) deadline_ = now + max_time_;
}

Command::~Command() {
  if (pid_ > 0) reap();
}

void Command::add_to(std::vector<pollfd>& items) const {
  items.push_back({.fd = end_.get(), .events = POLLIN, .revents = 0});
  if (stdin_.is_open()) items.push_back({.fd = stdin_.get(), .events = POLLOUT, .revents = 0});
  if (stdout_.is_open()) items.push_back({.fd = stdout_.get(), .events = POLLIN, .revents = 0});
  if (stderr_.is_open()) items.push_back({.fd = stderr_.get(), .events = POLLIN, .revents = 0});
}

std::optional<Emitted> Command::advance(Instant now) {
  const bool ended = has_ended();  // before the last look at what it said
  feed();
  read_complaint();
  if (!read_output()) {
    reap();
    return failure("the command's output is longer than " + mib_text(kMaxEmitBytes));
  }
  // Of what it started and left behind nothing is waited for.
  if (ended) return outcome_of(reap());
  if (now < deadline_) return std::nullopt;
  reap();
  return failure("the command ran longer than " + seconds_text(max_time_) + " s");
}

// A command need not read what it is given.
void Command::feed() {
  for (std::size_t i = 0; stdin_.is_open() && i < kPiecesATurn; ++i) {
    if (fed_ == piece_.size() && !next_piece()) return close_input();
    const std::size_t size = std::min(kPieceBytes, piece_.size() - fed_);
    const ssize_t written = write(stdin_.get(), piece_.data() + fed_, size);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (written < 0) return close_input();
    fed_ += static_cast<std::size_t>(written);
  }
}

bool Command::next_piece() {
  piece_.clear();
  fed_ = 0;
  return input_.append_next(piece_);
}

void Command::close_input() {
  stdin_ = FileDescriptor();
  piece_ = std::string();
}

// Once it has ended, all that is there; what it had no time to write cannot be more than a pipe
// holds, which is less than what is read in a turn.
bool Command::read_output() {
  for (std::size_t i = 0; stdout_.is_open() && i < kPiecesATurn; ++i) {
    const std::size_t before = output_.size();
    if (!read_into(stdout_, output_, kPieceBytes)) stdout_ = FileDescriptor();
    if (output_.size() > kMostOutput) return false;
    if (output_.size() == before) break;
  }
  return true;
}

void Command::read_complaint() {
  for (std::size_t i = 0; stderr_.is_open() && i < kPiecesATurn; ++i) {
    const std::size_t room = kShownBytes - std::min(complaint_.size(), kShownBytes);
    pollfd item{.fd = stderr_.get(), .events = POLLIN, .revents = 0};
    if (poll(&item, 1, 0) <= 0) return;
    if (!read_into(stderr_, complaint_, room)) stderr_ = FileDescriptor();
  }
}

bool Command::has_ended() const {
  pollfd item{.fd = end_.get(), .events = POLLIN, .revents = 0};
  return poll(&item, 1, 0) > 0;
}

// Until its end is taken note of, its number is nobody else's; and once it is dead it does not
// enter itself with the guard any more.
int Command::reap() {
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  siginfo_t end{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  guard_.forget(pid_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  // As process 1 of a container we are the parent of what it left behind.
  while (waitpid(-pid_, nullptr, 0) > 0 || errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

Emitted Command::outcome_of(int status) {
  was_stopped_ = is_stop(status);
  if (WIFSIGNALED(status)) {
    return failure("the command was ended by signal " + std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return failure("the command ended with code " + std::to_string(WEXITSTATUS(status)));
  }
  return input_lines(output_, "the command's output");
}

// With the first line of what it says itself.
Emitted Command::failure(std::string why) const {
  const std::string_view said = std::string_view(complaint_).substr(0, complaint_.find('\n'));
  if (!said.empty()) why.append(": ").append(to_utf8(said));
  return {.lines = {}, .error = std::move(why)};
}

}  // namespace fetchline
