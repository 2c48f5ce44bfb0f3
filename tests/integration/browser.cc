#include "tests/integration/browser.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "tests/integration/program.h"

namespace fetchline {

FileDescriptor connection_that_says(std::uint16_t port, std::string_view text) {
  FileDescriptor connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{kPatience.count(), 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* there = reinterpret_cast<const sockaddr*>(&address);
  if (connect(connection.get(), there, sizeof(address)) != 0) return FileDescriptor();
  while (!text.empty()) {
    const auto sent = send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // it had enough
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return connection;
}

Page ask(std::uint16_t port, std::string_view request) {
  const FileDescriptor connection = connection_that_says(port, request);
  Page page;
  if (!connection.is_open()) return page;
  std::string text;
  std::array<char, 16'384> block;
  ssize_t got = 0;
  while ((got = recv(connection.get(), block.data(), block.size(), 0)) > 0) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  const auto end = text.find("\r\n\r\n");
  if (got < 0 || end == std::string::npos || !text.starts_with("HTTP/1.1 ")) return page;
  std::from_chars(text.data() + 9, text.data() + 12, page.status);
  page.head = text.substr(0, end + 2);
  page.body = text.substr(end + 4);
  return page;
}

Page get(std::uint16_t port, const std::string& path) {
  return ask(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

nlohmann::json status_of(std::uint16_t port) {
  const Page page = get(port, "/status");
  return page.ok() ? nlohmann::json::parse(page.body) : nlohmann::json();
}

}  // namespace fetchline
