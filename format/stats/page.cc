// The writer's side of the statistics page: create, map, name slots. See page.h.
#include "format/stats/page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/fd.h"

namespace mz::stats {

size_t PageBytes(uint32_t workers, uint32_t zone_slots) {
  return sizeof(PageHeader) + size_t{workers} * sizeof(WorkerCounters) + size_t{zone_slots} * sizeof(ZoneName) +
         size_t{workers} * zone_slots * sizeof(ZoneCounters);
}

void CopyText(std::string_view text, char* field, size_t field_bytes) {
  size_t n = std::min(text.size(), field_bytes - 1);
  std::memcpy(field, text.data(), n);
  std::memset(field + n, 0, field_bytes - n);
}

Page::Page(Page&& other) noexcept { *this = std::move(other); }

Page& Page::operator=(Page&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(workers_, other.workers_);
  std::swap(names_, other.names_);
  std::swap(zones_, other.zones_);
  std::swap(worker_count_, other.worker_count_);
  std::swap(zone_slots_, other.zone_slots_);
  std::swap(path_, other.path_);
  std::swap(inode_, other.inode_);
  std::swap(index_, other.index_);
  return *this;
}

Page::~Page() {
  if (data_) ::munmap(data_, bytes_);
}

Status Page::Map(int fd, uint32_t workers, uint32_t zone_slots, std::string_view name) {
  bytes_ = PageBytes(workers, zone_slots);
  int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  void* p = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (p == MAP_FAILED) return ErrnoStatus(errno, "cannot map " + std::string(name));
  data_ = static_cast<uint8_t*>(p);
  workers_ = reinterpret_cast<WorkerCounters*>(data_ + sizeof(PageHeader));
  names_ = reinterpret_cast<ZoneName*>(workers_ + workers);
  zones_ = reinterpret_cast<ZoneCounters*>(names_ + zone_slots);
  worker_count_ = workers;
  zone_slots_ = zone_slots;

  PageHeader& h = header();
  h.magic = kPageMagic;
  h.version = kPageVersion;
  h.header_bytes = sizeof(PageHeader);
  h.pid = static_cast<uint32_t>(::getpid());
  h.workers = workers;
  h.zone_slots = zone_slots;
  CopyText("*", names_[zone_slots - 1].text, kZoneNameBytes);
  return absl::OkStatus();
}

StatusOr<Page> Page::Create(const std::string& path, uint32_t workers, uint32_t zone_slots) {
  MZ_CHECK(workers >= 1 && workers <= kMaxWorkers && zone_slots >= 1 && zone_slots <= kMaxZoneSlots);
  std::string temporary = path + ".tmp." + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  UniqueFd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot create " + temporary);
  Page page;
  Status s = absl::OkStatus();
  struct stat st;
  if (::fchmod(fd.get(), 0644) != 0 ||  // whatever the umask
      ::ftruncate(fd.get(), static_cast<off_t>(PageBytes(workers, zone_slots))) != 0 || ::fstat(fd.get(), &st) != 0)
    s = ErrnoStatus(errno, "cannot size " + temporary);
  if (s.ok()) s = page.Map(fd.get(), workers, zone_slots, temporary);
  if (s.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    s = ErrnoStatus(errno, "cannot rename " + temporary + " to " + path);
  if (!s.ok()) {
    ::unlink(temporary.c_str());
    return s;
  }
  page.path_ = path;
  page.inode_ = st.st_ino;
  return page;
}

StatusOr<Page> Page::Anonymous(uint32_t workers, uint32_t zone_slots) {
  MZ_CHECK(workers >= 1 && workers <= kMaxWorkers && zone_slots >= 1 && zone_slots <= kMaxZoneSlots);
  Page page;
  MZ_RETURN_IF_ERROR(page.Map(-1, workers, zone_slots, "the statistics page"));
  return page;
}

uint32_t Page::SlotOf(std::string_view zone_text) {
  // Names are compared as they are stored, so that an overlong one finds its own slot again.
  zone_text = zone_text.substr(0, kZoneNameBytes - 1);
  uint64_t hash = std::hash<std::string_view>{}(zone_text);
  auto it = std::lower_bound(index_.begin(), index_.end(), std::pair<uint64_t, uint32_t>{hash, 0});
  for (auto i = it; i != index_.end() && i->first == hash; ++i)
    if (zone_text == names_[i->second].text) return i->second;
  uint32_t slot = header().zone_slots_used;
  if (slot + 1 >= zone_slots_) return zone_slots_ - 1;
  CopyText(zone_text, names_[slot].text, kZoneNameBytes);
  index_.insert(it, {hash, slot});
  HeaderUpdate update(*this);
  update->zone_slots_used = slot + 1;
  return slot;
}

void Page::Unlink() {
  struct stat st;
  if (!path_.empty() && ::stat(path_.c_str(), &st) == 0 && st.st_ino == inode_) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace mz::stats
