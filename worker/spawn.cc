#include "worker/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include <cerrno>
#include <cstring>
#include <system_error>

extern char** environ;

namespace fetchline {
namespace {

void must(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

class Attributes {
 public:
  Attributes() {
    must(posix_spawnattr_init(&attributes_), "spawn");
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

class Actions {
 public:
  explicit Actions(const std::vector<int>& descriptors) {
    must(posix_spawn_file_actions_init(&actions_), "spawn");
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      must(posix_spawn_file_actions_adddup2(&actions_, descriptors[i], static_cast<int>(i)),
           "spawn");
    }
    must(posix_spawn_file_actions_addclosefrom_np(&actions_, static_cast<int>(descriptors.size())),
         "spawn");
  }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// They may hold a password, and a command that is one of ours has settings of its own.
std::vector<char*> environment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "FETCHLINE_", 10) != 0) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

}  // namespace

PipeEnds open_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) must(errno, "pipe");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

pid_t spawn_shell(const std::string& script, const std::vector<std::string>& arguments,
                  const std::vector<int>& descriptors) {
  std::vector<std::string> words = {"sh", "-c", script, "sh"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  must(posix_spawn(&pid, "/bin/sh", Actions(descriptors).get(), Attributes().get(), argv.data(),
                   environment().data()),
       "/bin/sh");
  return pid;
}

}  // namespace fetchline
