#include "collector/body_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "collector/durable_file.h"
#include "collector/output_error.h"

namespace fetchline {

BodyDirectory::BodyDirectory(std::string path, Existing existing)
    : path_(std::move(path)), overwrites_(existing == Existing::overwrite) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw BodyError(path_, error.value());
  directory_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.is_open()) throw BodyError(path_, errno);
}

void BodyDirectory::distinguish(const std::string& list) {
  list_ = list;
  std::ifstream known(list_);
  if (!known) return write_durable_file(list_, overwrites_ ? std::string() : names());
  resumed_ = true;
  for (std::string name; std::getline(known, name);) earlier_.insert(name);
}

void BodyDirectory::forget_list() {
  if (list_.empty() || unlink(list_.c_str()) == 0 || errno == ENOENT) return;
  throw OutputError(list_, errno);
}

void BodyDirectory::write(const std::string& name, std::string_view body) {
  FileDescriptor file = create(name);
  int error = write_all(file.get(), body);
  // Some file systems tell only now that there was no room.
  if (close(file.release()) != 0 && error == 0) error = errno;
  if (error == 0) return;
  unlinkat(directory_.get(), name.c_str(), 0);
  throw BodyError(path_of(name), error);
}

void BodyDirectory::discard(const std::string& name) noexcept {
  if (resumed_ && may_replace(name)) unlinkat(directory_.get(), name.c_str(), 0);
}

bool BodyDirectory::has(const std::string& name) const {
  struct stat status {};
  return fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

// One call for many files and their names, where an fdatasync each takes thirty times as long.
void BodyDirectory::sync() {
  if (syncfs(directory_.get()) != 0) throw BodyError(OutputError::of_sync(path_, errno));
}

std::string BodyDirectory::path_of(std::string_view name) const {
  return (std::filesystem::path(path_) / name).string();
}

FileDescriptor BodyDirectory::create(const std::string& name) {
  const auto attempt = [&] {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    return FileDescriptor(openat(directory_.get(), name.c_str(), kFlags, 0666));
  };
  FileDescriptor file = attempt();
  if (!file.is_open() && errno == EEXIST && may_replace(name)) {
    remove(name);
    file = attempt();
  }
  if (file.is_open()) return file;
  const int error = errno;
  throw BodyError(path_of(name), error, error == EEXIST ? " (--overwrite replaces it)" : "");
}

bool BodyDirectory::may_replace(const std::string& name) const {
  return overwrites_ || (resumed_ && !earlier_.contains(name));
}

void BodyDirectory::remove(const std::string& name) {
  if (unlinkat(directory_.get(), name.c_str(), 0) == 0 || errno == ENOENT) return;
  throw BodyError(path_of(name), errno);
}

// A line each. One with a line break in it is none that a body could get.
std::string BodyDirectory::names() const {
  std::string lines;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.find('\n') == name.npos) lines.append(name).append("\n");
  }
  if (error) throw BodyError(path_, error.value());
  return lines;
}

}  // namespace fetchline
