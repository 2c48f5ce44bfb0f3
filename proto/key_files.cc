#include "proto/key_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "proto/file_descriptor.h"
#include "proto/permissions.h"

namespace fetchline {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;  // 10,000 keys

std::string reason() { return std::generic_category().message(errno); }

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

// Mode and content are of the same file, whatever its name is given to meanwhile.
struct File {
  explicit File(const std::string& path)
      : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (!fd.is_open()) throw KeyError("cannot be read: " + reason());
    if (!S_ISREG(status().st_mode)) throw KeyError("is not a file");  // a pipe would be waited for
  }

  void refuse_secret_of_others() const {
    const struct stat status = this->status();
    const bool is_ours = status.st_uid == geteuid();
    if ((status.st_mode & (is_ours ? S_IRWXG | S_IRWXO : S_IWGRP | S_IRWXO)) == 0) return;
    throw KeyError("can be used by others (mode " + octal(status.st_mode) + "); chmod " +
                   (is_ours ? "go=" : "g-w,o=") + " takes that from them");
  }
  void refuse_written_by_others() const {
    const mode_t mode = status().st_mode;
    if ((mode & S_IWOTH) == 0) return;
    throw KeyError("can be written by others (mode " + octal(mode) +
                   "); chmod o= takes that from them");
  }

  [[nodiscard]] struct stat status() const {
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) throw KeyError("cannot be read: " + reason());
    return status;
  }

  [[nodiscard]] std::string read_all() const {
    std::string text(kMaxFileBytes + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
      const ssize_t got = read(fd.get(), text.data() + size, text.size() - size);
      if (got == 0) break;
      if (got < 0 && errno != EINTR) throw KeyError("cannot be read: " + reason());
      if (got > 0) size += static_cast<std::size_t>(got);
    }
    if (size > kMaxFileBytes) throw KeyError("is longer than 1 MiB");
    text.resize(size);
    return text;
  }

  const FileDescriptor fd;
};

template <class Parse>
auto named(const std::string& flag, const std::string& path, Parse parse) {
  try {
    return parse(File(path));
  } catch (const KeyError& error) {
    throw KeyError(flag + ": " + path + ": " + error.what());
  }
}

void check_complete(const Keys& keys) {
  for (const Role other : kRoles) {
    const bool needed = may_connect(keys.role, other) || may_connect(other, keys.role);
    if (!needed || !keys.keys_of(other).empty()) continue;
    throw KeyError("has no key of a " + std::string(to_string(other)));
  }
}

}  // namespace

Keys read_keys(const KeyFiles& files, Role own) {
  Keys keys;
  keys.role = own;
  keys.insecure_plaintext = files.insecure_plaintext;
  if (files.key.empty() != files.authorized.empty()) {
    throw KeyError(files.key.empty() ? "--authorized-keys: needs --key"
                                     : "--key: needs --authorized-keys");
  }
  if (files.key.empty()) return keys;
  keys.own = named("--key", files.key, [own](const File& file) {
    file.refuse_secret_of_others();
    return parse_key_file(file.read_all(), own);
  });
  return named("--authorized-keys", files.authorized, [&keys](const File& file) {
    file.refuse_written_by_others();
    keys.authorized = parse_authorized_file(file.read_all());
    check_complete(keys);
    return std::move(keys);
  });
}

}  // namespace fetchline
