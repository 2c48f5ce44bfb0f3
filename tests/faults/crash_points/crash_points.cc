// Preloaded into a program, it counts the calls that change files below a directory, and lets one
// of them, or some, end as no test could ask a kernel for. Told by the environment:
//
//     CRASH_BELOW    the directory; nothing else is counted
//     CRASH_CALLS    names of calls, with commas; only these are counted; all when it is not there
//     CRASH_AT       the number of the call that is struck, from 1
//     CRASH_TIMES    how many from there on; 1 when it is not there
//     CRASH_ACTION   exit: the process ends in place of the call
//                    tear: half of it is written, then the process ends
//                    power: exit, and all is lost that was not synced
//                    EIO, ENOSPC: the call fails; what an fdatasync was to write is lost
//                    EINTR: the call fails, but not twice in a row
//                    short: half of it is written
//     CRASH_LOG      a file to which "NUMBER CALL PATH" is appended for each that is counted
//     CRASH_DISK     a file that keeps what was not synced by a process that ended, for the next
//
// The loss of power takes the end of a file that was not synced, the name of a file in a directory
// that was not synced, and undoes a rename there. A removal that was not synced stays.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace {

constexpr int kExitCode = 99;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

long number(const char* name, long otherwise) {
  const std::string value = variable(name);
  return value.empty() ? otherwise : std::atol(value.c_str());
}

ssize_t real_write(int fd, const void* bytes, size_t size) {
  static const auto function = next<ssize_t (*)(int, const void*, size_t)>("write");
  return function(fd, bytes, size);
}

int real_open(const char* path, int flags, mode_t mode) {
  static const auto function = next<int (*)(const char*, int, ...)>("open");
  return function(path, flags, mode);
}

std::string path_of(int fd) {
  char path[4096];
  const auto size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return {path, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

// Relative to a directory that is open; of no meaning to others.
std::string path_at(int directory, const char* path) {
  if (path[0] == '/') return path;
  const auto from =
      directory == AT_FDCWD ? std::filesystem::current_path().string() : path_of(directory);
  return from + "/" + path;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// What would be there after a loss of power.
class Disk {
 public:
  void opened(const std::string& path, bool existed) {
    struct stat status {};
    if (existed && stat(path.c_str(), &status) == 0) synced_.try_emplace(path, status.st_size);
    if (existed) return;
    synced_[path] = 0;
    made_.insert(path);
  }
  void made_directory(const std::string& path) { made_.insert(path); }
  void synced(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return;
    if (!S_ISDIR(status.st_mode)) {
      synced_[path] = status.st_size;
      return;
    }
    std::erase_if(made_, [&](const std::string& made) { return parent_of(made) == path; });
    std::erase_if(renamed_, [&](const auto& entry) { return parent_of(entry.first) == path; });
  }
  void cut(const std::string& path, off_t size) {
    if (const auto at = synced_.find(path); at != synced_.end()) {
      at->second = std::min(at->second, size);
    }
  }
  void renamed(const std::string& from, const std::string& to) {
    renamed_[to] = from;
    synced_[to] = synced_[from];
    synced_.erase(from);
    made_.erase(from);
  }
  void lose(const std::string& path) {
    if (const auto at = synced_.find(path); at != synced_.end()) shorten(path, at->second);
  }
  void keep(const std::string& file) const {
    std::ofstream out(file);
    for (const auto& [path, size] : synced_) out << size << ' ' << path << '\n';
  }
  void recall(const std::string& file) {
    std::ifstream in(file);
    std::string path;
    for (off_t size = 0; in >> size >> path;) synced_[path] = size;
  }
  void lose_all() {
    for (const auto& [path, size] : synced_) shorten(path, size);
    for (const auto& [to, from] : renamed_) std::filesystem::rename(to, from);
    for (const std::string& path : made_) std::filesystem::remove_all(path);
  }

 private:
  static void shorten(const std::string& path, off_t size) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && status.st_size > size && truncate(path.c_str(), size))
      _exit(kExitCode + 1);
  }

  std::map<std::string, off_t> synced_;  // sizes
  std::set<std::string> made_;           // in directories that were not synced since
  std::map<std::string, std::string> renamed_;
};

enum class Fate { go, tear, halve, fail };

class Plan {
 public:
  Plan() {
    if (!disk_file_.empty()) disk.recall(disk_file_);
  }

  // Of this call; `error` is for Fate::fail.
  Fate fate(std::string_view call, const std::string& path, int& error) {
    const std::lock_guard lock(mutex_);
    if (!counts(call, path)) return Fate::go;
    ++count_;
    note(call, path);
    const bool struck = count_ >= at_ && count_ - at_ < times_ && !busy_;
    if (!struck || std::exchange(just_interrupted_, false)) return Fate::go;
    if (action_ == "exit") end();
    if (action_ == "power") lose_power();
    if (action_ == "tear") return Fate::tear;
    if (action_ == "short") return Fate::halve;
    just_interrupted_ = action_ == "EINTR";
    error = just_interrupted_ ? EINTR : action_ == "EIO" ? EIO : ENOSPC;
    if (call == "fdatasync") disk.lose(path);
    return Fate::fail;
  }

  Disk disk;  // of one thread: the program's loop

 private:
  bool counts(std::string_view call, const std::string& path) const {
    if (below_.empty() || !path.starts_with(below_)) return false;
    return calls_.empty() ||
           ("," + calls_ + ",").find("," + std::string(call) + ",") != calls_.npos;
  }
  void note(std::string_view call, const std::string& path) const {
    if (log_ < 0) return;
    const auto line = std::to_string(count_) + " " + std::string(call) + " " + path + "\n";
    if (real_write(log_, line.data(), line.size()) < 0) _exit(kExitCode + 1);
  }
  [[noreturn]] void end() {
    busy_ = true;
    if (!disk_file_.empty()) disk.keep(disk_file_);
    _exit(kExitCode);
  }
  [[noreturn]] void lose_power() {
    busy_ = true;
    disk.lose_all();
    _exit(kExitCode);
  }

  const std::string below_ = variable("CRASH_BELOW");
  const std::string calls_ = variable("CRASH_CALLS");
  const std::string action_ = variable("CRASH_ACTION");
  const std::string disk_file_ = variable("CRASH_DISK");
  const long at_ = number("CRASH_AT", 1'000'000'000);
  const long times_ = number("CRASH_TIMES", 1);
  const int log_ =
      real_open(variable("CRASH_LOG").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  std::recursive_mutex mutex_;  // what is lost is lost by calls that are counted here
  long count_ = 0;
  bool just_interrupted_ = false;
  bool busy_ = false;
};

Plan& plan() {
  static Plan the_plan;
  return the_plan;
}

// Calls that write bytes: `write` writes as many as it is told.
template <class Write>
ssize_t written(const char* call, int fd, size_t size, Write write) {
  int error = 0;
  switch (plan().fate(call, path_of(fd), error)) {
    case Fate::go:
      return write(size);
    case Fate::halve:
      return write(std::max<size_t>(1, size / 2));
    case Fate::tear:
      if (size > 1) (void)!write(size / 2);
      _exit(kExitCode);
    case Fate::fail:
      errno = error;
  }
  return -1;
}

// All others.
template <class Call>
int done(const char* name, const std::string& path, Call call) {
  int error = 0;
  switch (plan().fate(name, path, error)) {
    case Fate::tear:
      _exit(kExitCode);
    case Fate::fail:
      errno = error;
      return -1;
    default:
      return call();
  }
}

int opened(const char* path, int flags, mode_t mode) {
  const bool existed = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  if ((flags & O_CREAT) == 0) return real_open(path, flags, mode);
  const std::string whole = path_at(AT_FDCWD, path);
  return done("open", whole, [&] {
    const int fd = real_open(path, flags, mode);
    if (fd >= 0) plan().disk.opened(whole, existed);
    if (fd >= 0 && (flags & O_TRUNC) != 0) plan().disk.cut(whole, 0);
    return fd;
  });
}

int synced(const char* call, int fd) {
  return done(call, path_of(fd), [&] {
    const int result = next<int (*)(int)>(call)(fd);
    if (result == 0) plan().disk.synced(path_of(fd));
    return result;
  });
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  return written("write", fd, size, [&](size_t some) { return real_write(fd, bytes, some); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return written("pwrite", fd, size, [&](size_t some) {
    return next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(fd, bytes, some, offset);
  });
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t offset) {
  return pwrite(fd, bytes, size, offset);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(more, int) : 0);
  va_end(more);
  return opened(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(more, int) : 0);
  va_end(more);
  return opened(path, flags, mode);
}

int fdatasync(int fd) { return synced("fdatasync", fd); }
int fsync(int fd) { return synced("fsync", fd); }

int ftruncate(int fd, off_t size) {
  return done("ftruncate", path_of(fd), [&] {
    plan().disk.cut(path_of(fd), size);
    return next<int (*)(int, off_t)>("ftruncate")(fd, size);
  });
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int rename(const char* from, const char* to) {
  return done("rename", path_at(AT_FDCWD, to), [&] {
    const int result = next<int (*)(const char*, const char*)>("rename")(from, to);
    if (result == 0) plan().disk.renamed(path_at(AT_FDCWD, from), path_at(AT_FDCWD, to));
    return result;
  });
}

int unlink(const char* path) {
  return done("unlink", path_at(AT_FDCWD, path),
              [&] { return next<int (*)(const char*)>("unlink")(path); });
}
int unlinkat(int directory, const char* path, int flags) {
  return done("unlinkat", path_at(directory, path), [&] {
    return next<int (*)(int, const char*, int)>("unlinkat")(directory, path, flags);
  });
}
int rmdir(const char* path) {
  return done("rmdir", path_at(AT_FDCWD, path),
              [&] { return next<int (*)(const char*)>("rmdir")(path); });
}

int mkdir(const char* path, mode_t mode) {
  return done("mkdir", path_at(AT_FDCWD, path), [&] {
    const int result = next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
    if (result == 0) plan().disk.made_directory(path_at(AT_FDCWD, path));
    return result;
  });
}
}
