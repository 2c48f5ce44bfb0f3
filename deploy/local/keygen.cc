#include "deploy/local/keygen.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "deploy/process/printable.h"
#include "deploy/process/status_line.h"
#include "deploy/process/timestamp.h"
#include "proto/keys.h"

namespace fetchline {
namespace {

constexpr const char* kHelp =
    R"(Usage: fetchline keygen DIR
Makes the keys of a fleet in DIR, which is made if it is not there. Nothing is overwritten.

  DIR/collector.key, DIR/producer.key, DIR/worker.key
                                the secret key of each role, for its --key; mode 0600
  DIR/authorized                the public keys of all, for everybody's --authorized-keys

A key is worth what its role may do: whoever has the worker's can take tasks and deliver results,
but neither open nor end a job. Any number of workers may share one.

To replace a key, make others elsewhere, append their authorized file to the one in use, start
everybody again with that, then change to the new keys, then take the old lines out.

Examples:
  fetchline keygen keys
  fetchline-collector --bind tcp://*:5556 --key collector.key --authorized-keys authorized
)";

struct KeyFile {
  std::string path, text;
};

[[noreturn]] void throw_of(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

std::vector<KeyFile> new_files(const std::string& directory) {
  const std::string day = timestamp(std::chrono::system_clock::now()).substr(0, 10);
  std::vector<KeyFile> files;
  KeyFile authorized{directory + "/authorized",
                     "# Who belongs to this fleet: role, public key, comment.\n"};
  for (const Role role : kRoles) {
    const KeyPair pair = random_key_pair();
    const std::string name(to_string(role));
    files.push_back({directory + "/" + name + ".key", "# Secret: whoever has this is a " + name +
                                                          " of the fleet.\n" + name + " " +
                                                          pair.secret_key + "\n"});
    authorized.text.append(name).append(" ").append(pair.public_key).append(" " + day + "\n");
  }
  files.push_back(std::move(authorized));
  return files;
}

void write_new(const KeyFile& file) {
  const int fd = open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) throw_of(file.path);
  const ssize_t written = write(fd, file.text.data(), file.text.size());
  const bool whole = written == static_cast<ssize_t>(file.text.size());
  const bool safe = whole && fsync(fd) == 0;
  const int error = whole || written < 0 ? errno : ENOSPC;
  close(fd);
  if (safe) return;
  errno = error;
  throw_of(file.path);
}

// All of them or none: half a fleet's keys could not be completed later.
void write_all(const std::vector<KeyFile>& files) {
  std::size_t made = 0;
  try {
    for (; made < files.size(); ++made) write_new(files[made]);
  } catch (const std::system_error& error) {
    // Ours are those before it, and it if it came into being empty or cut short.
    const bool was_there = error.code() == std::errc::file_exists;
    for (std::size_t i = 0; i < made + (was_there ? 0 : 1); ++i) unlink(files[i].path.c_str());
    throw;
  }
}

void explain(const std::string& directory) {
  const std::string shown = printable(directory);
  std::string text;
  for (const Role role : kRoles) {
    const std::string name(to_string(role));
    text.append(shown + "/" + name +
                (role == Role::worker ? ".key is for every " : ".key is for the ") + name +
                ": --key " + name + ".key\n");
  }
  text.append(shown + "/authorized is for all of them: --authorized-keys authorized\n");
  std::fputs(text.c_str(), stdout);
}

ExitCode fail(ExitCode code, const std::string& text) {
  write_stderr("fetchline keygen: " + printable(text) + "\n");
  if (code == ExitCode::usage) write_stderr("Try 'fetchline keygen --help'.\n");
  return code;
}

}  // namespace

bool is_keygen(int argc, const char* const* argv) {
  return argc > 1 && std::string_view(argv[1]) == "keygen";
}

ExitCode keygen(int argc, const char* const* argv) {
  const std::string directory = argc == 3 ? argv[2] : "";
  if (directory == "--help" || directory == "-h") {
    std::fputs(kHelp, stdout);
    return ExitCode::ok;
  }
  if (directory.empty() || directory.starts_with('-')) {
    return fail(ExitCode::usage, "needs a directory and nothing else");
  }
  try {
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw_of(directory);
    write_all(new_files(directory));
  } catch (const std::system_error& error) {
    return fail(ExitCode::output_unwritable, error.what());
  } catch (const KeyError& error) {
    return fail(ExitCode::internal, error.what());
  }
  explain(directory);
  return ExitCode::ok;
}

}  // namespace fetchline
