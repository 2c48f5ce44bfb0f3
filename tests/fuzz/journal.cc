// The journal, killed and damaged in any way, comes back with what was committed, or says that it
// is damaged. The input: how long segments are and what is promised, then events; and as entries,
// all of it as it is.
#include "collector/journal.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "collector/output_error.h"
#include "tests/fuzz/events.h"
#include "tests/fuzz/fields.h"

namespace fetchline::fuzz {
namespace {

namespace fs = std::filesystem;

// In memory where the system has such a place; gone when the process ends as it should.
class Directory {
 public:
  Directory() {
    const fs::path shared = "/dev/shm";
    const fs::path parent = fs::is_directory(shared) ? shared : fs::temp_directory_path();
    path_ = parent / ("fetchline-fuzz-" + std::to_string(getpid()));
  }
  ~Directory() { clear(); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  void clear() const {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }
  // The last segment; the numbers in the names are as long as each other.
  [[nodiscard]] std::optional<fs::path> last_file() const {
    std::optional<fs::path> last;
    for (const auto& file : fs::directory_iterator(path_)) {
      if (!last || *last < file.path()) last = file.path();
    }
    return last;
  }

 private:
  fs::path path_;
};

Result result_of(Bytes& input, std::uint32_t mark) {
  Result result;
  result.index = small_index(input);
  result.attempts = mark;
  result.url = "http://h/";
  result.task_hash = mark;
  result.body.assign(input.byte(), 'x');
  if (input.below(4) == 0) result.body += "FLJ1";  // what an entry begins with
  return result;
}

class Scene {
 public:
  Scene(Bytes input, const Directory& directory)
      : input_(input),
        directory_(directory),
        durability_(input_.flip() ? Journal::Durability::power : Journal::Durability::process),
        segment_bytes_(500 + input_.number(2)) {
    journal_.emplace(directory_.path(), durability_, segment_bytes_);
    (void)journal_->recover();
  }

  // Until it is damaged: then somebody has to look at it.
  void play() {
    try {
      while (!input_.empty()) event();
      begin_anew();
    } catch (const DamagedError&) {
      check(damaged_, "what nobody damaged is whole");
    }
  }

 private:
  void event() {
    switch (input_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return append();
      case 4:
        return control();
      case 5:
      case 6:
        return commit();
      case 7:
        return begin_anew();
      case 8:
        return drop();
      case 9:
        return damage();
      default:
        return read();
    }
  }

  void append() {
    Result result = result_of(input_, ++marks_);
    const JournalPlace place = journal_->append(result);
    appended_.insert_or_assign(key_of(place), std::move(result));
    places_.push_back(place);
  }
  void control() {
    JobControl control{.job = job_number(1U + input_.below(2)), .log = 1U + input_.below(3)};
    control.epochs[input_.byte()] = Epoch{input_.below(4)};
    if (input_.flip()) control.total = small_index(input_);
    control_ = control;
    journal_->append(control);
  }
  void commit() {
    journal_->commit();
    check(!journal_->has_uncommitted(), "nothing is left");
    for (const JournalPlace& place : std::exchange(places_, {})) {
      if (appended_.contains(key_of(place))) committed_[key_of(place)] = place;
    }
    committed_control_ = control_;
  }

  void drop() {
    const Index watermark = small_index(input_);
    journal_->drop_below(watermark);
    dropped_below_ = std::max(dropped_below_, watermark);
  }

  void read() {
    for (const auto& [key, place] : committed_) {
      const Result& written = appended_.at(key);
      if (written.index < dropped_below_ || damaged_) continue;
      check(same(journal_->read(place), written), "what was committed reads back");
    }
  }

  // The process dies; a part of what it did not commit may be there.
  void begin_anew() {
    if (input_.flip()) journal_->commit();  // and died before it could say so
    journal_.emplace(directory_.path(), durability_, segment_bytes_);
    const auto recovered = journal_->recover();
    std::map<Key, Index> found;
    for (const Journal::Kept& kept : recovered.results) {
      check(kept.index < kMaxIndex, "an index is one");
      found[key_of(kept.place)] = kept.index;
      check_kept(kept);
    }
    for (const auto& [key, place] : committed_) {
      const Result& written = appended_.at(key);
      if (damaged_ || written.index < dropped_below_) continue;
      check(found.contains(key), "what was committed is there");
    }
    check(damaged_ || !committed_control_ || recovered.control.has_value(), "the job is there");
    check(damaged_ || recovered.cut_bytes == 0, "nothing is cut that was not torn");
    control_ = recovered.control;
    committed_control_ = control_;
    places_.clear();
  }

  // Somebody else's entry may be whole and hold nothing that is a result.
  void check_kept(const Journal::Kept& kept) {
    const auto written = appended_.find(key_of(kept.place));
    try {
      const Result result = journal_->read(kept.place);
      if (damaged_) return;
      check(written != appended_.end() && same(result, written->second), "as it was written");
      check(kept.index == result.index && kept.task_hash == result.task_hash, "as it was named");
    } catch (const DamagedError&) {
      if (!damaged_) throw;
    }
  }

  // Between two processes.
  void damage() {
    commit();
    journal_.reset();
    const auto file = directory_.last_file();
    if (file) {
      damaged_ = true;
      damage_file(*file);
    }
    journal_.emplace(directory_.path(), durability_, segment_bytes_);
    begin_anew();
  }
  void damage_file(const fs::path& path) {
    const auto size = fs::file_size(path);
    const std::uint64_t at = size == 0 ? 0 : input_.number(2) % size;
    switch (input_.below(5)) {
      case 0:
        return fs::resize_file(path, at);
      case 1:
        return overwrite(path, at, std::string(input_.text()));
      case 2:
        return overwrite(path, at, std::string(input_.byte(), '\0'));
      case 3:
        return overwrite(path, size, std::string(input_.text()));
      default:
        return overwrite(path, size, entry());
    }
  }
  static void overwrite(const fs::path& path, std::uint64_t at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
  }
  std::string entry() {
    EntryHead head;
    head.kind = static_cast<EntryHead::Kind>(input_.below(4));
    head.index = input_.number(7);
    head.task_hash = input_.number(2);
    head.settled = input_.number(2);
    std::string bytes;
    append_entry(bytes, head, [this](std::string& to) { to += input_.text(); });
    return bytes;
  }

  using Key = std::pair<std::uint32_t, std::uint64_t>;
  static Key key_of(const JournalPlace& place) { return {place.segment, place.offset}; }

  Bytes input_;
  const Directory& directory_;
  const Journal::Durability durability_;
  const std::uint64_t segment_bytes_;
  std::optional<Journal> journal_;
  std::map<Key, Result> appended_;
  std::map<Key, JournalPlace> committed_;
  std::vector<JournalPlace> places_;  // appended since the last commit
  std::optional<JobControl> control_, committed_control_;
  Index dropped_below_ = 0;
  std::uint32_t marks_ = 0;
  bool damaged_ = false;
};

void check_entries(std::string_view rest) {
  while (const auto entry = parse_entry(rest)) {
    check(entry->bytes() <= rest.size(), "an entry is within what there is");
    std::string again;
    append_entry(again, entry->head, [&](std::string& to) { to += entry->payload; });
    check(rest.starts_with(again), "an entry is written as it was read");
    rest.remove_prefix(entry->bytes());
  }
  (void)was_settled(rest, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Directory directory;
  directory.clear();
  const Bytes input(data, size);
  check_entries(Bytes(input).take_all());
  Scene(input, directory).play();
  return 0;
}

}  // namespace fetchline::fuzz
