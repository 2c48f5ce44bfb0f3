#include "worker/command_guard.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "worker/spawn.h"

namespace fetchline {
namespace {

// A line each: "+ GROUP" and "- GROUP". Who was entered and never taken out is left at the end; who
// was killed before it could enter is taken out all the same. Who stops all processes of a service
// stops the worker, and that is the guard's end too.
constexpr const char* kScript = R"(
trap '' HUP INT TERM
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -9 "-$group"; done
)";

}  // namespace

CommandGuard::CommandGuard() { start(); }

void CommandGuard::start() {
  PipeEnds lines = open_pipe();
  const FileDescriptor null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!null.is_open()) throw std::system_error(errno, std::generic_category(), "/dev/null");
  pid_ = spawn_shell(kScript, {}, {lines.read.get(), null.get(), null.get()});
  pipe_ = std::move(lines.write);
}

CommandGuard::~CommandGuard() {
  pipe_ = FileDescriptor();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool CommandGuard::revive() {
  if (waitpid(pid_, nullptr, WNOHANG) == 0) return false;
  start();
  return true;
}

void CommandGuard::enter(pid_t group) { say('+', group); }

void CommandGuard::forget(pid_t group) { say('-', group); }

// Whole or not at all; when it is not there any more there is nobody to tell.
void CommandGuard::say(char what, pid_t group) {
  std::string line(1, what);
  line.append(" ").append(std::to_string(group)).append("\n");
  while (write(pipe_.get(), line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace fetchline
