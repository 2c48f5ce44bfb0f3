#include "tests/integration/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace fetchline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTurn{20};

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Pipe {
  FileDescriptor read, write;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

FileDescriptor open_file(const std::string& path, int flags) {
  FileDescriptor file(open(path.c_str(), flags | O_CLOEXEC, 0666));
  if (!file.is_open()) fail(path);
  return file;
}

void set_nonblocking(const FileDescriptor& file) { fcntl(file.get(), F_SETFL, O_NONBLOCK); }

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("FETCHLINE_")) all.emplace_back(*entry);
  }
  for (const auto& variable : added) {
    const std::string begin = variable.first + "=";
    std::erase_if(all, [&](const std::string& entry) { return entry.starts_with(begin); });
    all.push_back(begin + variable.second);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// fork() and not posix_spawn(): the child is to die with the test, whatever ends that. Between
// fork and exec nothing but system calls: other threads run in this process.
pid_t start(const std::array<int, 3>& streams, char* const* arguments, char* const* environment) {
  const pid_t test = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  for (int number = 0; number < 3; ++number)
    dup2(streams[static_cast<std::size_t>(number)], number);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != test) _exit(127);
  std::signal(SIGPIPE, SIG_DFL);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

// TEST_PROGRAMS names a build's directory, where each program is in its room's, or one that
// has them all.
std::string chosen(const std::string& ours) {
  const char* const programs = std::getenv("TEST_PROGRAMS");
  if (programs == nullptr) return ours;
  const std::filesystem::path path(ours), directory(programs);
  const auto same_place = directory / path.lexically_relative(FETCHLINE_BUILD);
  return std::filesystem::exists(same_place) ? same_place : directory / path.filename();
}

// `mask` is of /proc/PID/status: bit 0 is signal 1.
bool contains(const std::string& mask, int number) {
  return (std::strtoull(mask.c_str(), nullptr, 16) >> (number - 1) & 1) != 0;
}

bool is_free(std::uint16_t port) {
  const FileDescriptor socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Args operator+(Args left, const Args& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

// Below the range of ephemeral ports: there it would become some connection's in the meantime, or
// connect to itself.
std::uint16_t free_port() {
  static std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<std::uint16_t> ports(12'000, 32'000);
  for (int i = 0; i < 1000; ++i) {
    if (const std::uint16_t port = ports(random); is_free(port)) return port;
  }
  throw std::runtime_error("no free port");
}

std::string endpoint(std::uint16_t port) { return "tcp://127.0.0.1:" + std::to_string(port); }

std::string fetchline_path() { return chosen(FETCHLINE_PATH); }
std::string producer_path() { return chosen(FETCHLINE_PRODUCER_PATH); }
std::string worker_path() { return chosen(FETCHLINE_WORKER_PATH); }
std::string collector_path() { return chosen(FETCHLINE_COLLECTOR_PATH); }

RunningProgram::RunningProgram(const std::string& path, const Args& args, const Setup& setup)
    : name_(path.substr(path.rfind('/') + 1)) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe in = make_pipe(), out = make_pipe();
  if (!setup.stdin_is_pipe) in.read = open_file("/dev/null", O_RDONLY);
  if (!setup.stdout_path.empty()) {
    out.write = open_file(setup.stdout_path, O_WRONLY | O_CREAT | O_TRUNC);
  } else {
    stdout_ = std::move(out.read);
    set_nonblocking(stdout_);
  }
  stderr_ = FileDescriptor(memfd_create("stderr", MFD_CLOEXEC));
  std::vector<std::string> arguments = Args{path} + args;
  std::vector<std::string> environment = environment_with(setup.environment);
  pid_ = start({in.read.get(), out.write.get(), stderr_.get()}, pointers_to(arguments).data(),
               pointers_to(environment).data());
  if (pid_ < 0) fail("fork");
  end_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!end_.is_open()) fail("pidfd_open");
  if (setup.stdin_is_pipe) stdin_ = std::move(in.write);
  if (stdin_.is_open()) set_nonblocking(stdin_);
}

RunningProgram::~RunningProgram() {
  if (pid_ < 0 || code_) return;
  kill(pid_, SIGKILL);
  reap(true);
}

bool RunningProgram::write(std::string_view text) {
  const auto deadline = Clock::now() + kPatience;
  while (!text.empty()) {
    if (Clock::now() > deadline || has_ended()) return false;
    const std::size_t written = write_some(text);
    text.remove_prefix(written);
    if (written == 0) wait(Clock::now() + kTurn, stdin_.get());
    read_available();
  }
  return true;
}

bool RunningProgram::takes_input(Clock::duration patience) {
  pollfd item{stdin_.get(), POLLOUT, 0};
  return poll(&item, 1, static_cast<int>(std::chrono::ceil<milliseconds>(patience).count())) == 1 &&
         (item.revents & POLLOUT) != 0;
}

bool RunningProgram::has_read_input() const {
  int unread = 0;
  return ioctl(stdin_.get(), FIONREAD, &unread) == 0 && unread == 0;
}

std::size_t RunningProgram::write_some(std::string_view text) {
  const ssize_t written = ::write(stdin_.get(), text.data(), text.size());
  return written < 0 ? 0 : static_cast<std::size_t>(written);
}

std::optional<std::string> RunningProgram::read_line() {
  const auto deadline = Clock::now() + kPatience;
  while (true) {
    if (const auto end = output_.find('\n'); end != std::string::npos) {
      std::string line = output_.substr(0, end);
      output_.erase(0, end + 1);
      return line;
    }
    if (!stdout_.is_open() || Clock::now() > deadline) return std::nullopt;
    wait(deadline);
    read_available();
  }
}

bool RunningProgram::has_output() {
  read_available();
  return !output_.empty();
}

int RunningProgram::exit_code() {
  const auto deadline = Clock::now() + kPatience;
  while (!has_ended() && Clock::now() < deadline) {
    wait(std::min(deadline, Clock::now() + kTurn));
    read_available();
    static_cast<void>(peak_memory_bytes());
  }
  read_available();
  if (!code_) {
    ADD_FAILURE() << name_ << " does not end; its stderr:\n" << stderr_text();
    return -1;
  }
  return *code_;
}

bool RunningProgram::has_ended() {
  reap(false);
  return code_.has_value();
}

void RunningProgram::signal(int number) const {
  if (!code_) kill(pid_, number);
}

bool RunningProgram::listens_to(int number) const { return contains(status("SigBlk:"), number); }

bool RunningProgram::has_pending(int number) const { return contains(status("ShdPnd:"), number); }

std::string RunningProgram::stderr_text() const {
  std::string text;
  std::array<char, 4096> block{};
  while (true) {
    const auto got =
        pread(stderr_.get(), block.data(), block.size(), static_cast<off_t>(text.size()));
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

bool RunningProgram::says(std::string_view text) const {
  return stderr_text().find(text) != std::string::npos;
}

std::uint64_t RunningProgram::peak_memory_bytes() {
  const std::uint64_t kibibytes = std::strtoull(status("VmHWM:").c_str(), nullptr, 10);
  peak_memory_bytes_ = std::max(peak_memory_bytes_, kibibytes * 1024);
  return peak_memory_bytes_;
}

std::string RunningProgram::status(std::string_view field) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (file >> word) {
    if (word == field && file >> word) return word;
  }
  return "";
}

void RunningProgram::wait(Clock::time_point deadline, int writable_fd) {
  std::array<pollfd, 3> items{
      {{end_.get(), POLLIN, 0}, {stdout_.get(), POLLIN, 0}, {writable_fd, POLLOUT, 0}}};
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  poll(items.data(), items.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
}

void RunningProgram::read_available() {
  std::array<char, 64 * 1024> block{};
  while (stdout_.is_open()) {
    const ssize_t got = read(stdout_.get(), block.data(), block.size());
    if (got < 0) return;
    if (got == 0) return close_stdout();
    output_.append(block.data(), static_cast<std::size_t>(got));
  }
}

void RunningProgram::reap(bool must) {
  if (code_) return;
  int status = 0;
  if (waitpid(pid_, &status, must ? 0 : WNOHANG) != pid_) return;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Ended run(const std::string& path, const Args& args, const RunningProgram::Setup& setup) {
  RunningProgram program(path, args, setup);
  const int code = program.exit_code();
  return {code, program.stdout_text(), program.stderr_text()};
}

}  // namespace fetchline
