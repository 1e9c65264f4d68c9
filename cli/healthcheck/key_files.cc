// See key_files.h.
#include "cli/healthcheck/key_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "format/healthcheck/id.h"

namespace mz::cli {

using healthcheck::DkimKey;

namespace {

StatusOr<mail::PrivateKey> Generate(DkimKey key) {
  switch (key) {
    case DkimKey::kRsa4096:
      return mail::PrivateKey::GenerateRsa(4096);
    case DkimKey::kRsa1024:
      return mail::PrivateKey::GenerateRsa(1024);
    case DkimKey::kRsa768:
      return mail::PrivateKey::GenerateRsa(768);
    case DkimKey::kRsa512:
      return mail::PrivateKey::GenerateRsa(512);
    case DkimKey::kEd25519:
      return mail::PrivateKey::GenerateEd25519();
    default:
      return mail::PrivateKey::GenerateRsa(2048);
  }
}

}  // namespace

Status WriteNewFile(const std::string& path, std::string_view text, uint32_t mode) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd.valid()) {
    if (errno == EEXIST)
      return MakeStatus(StatusCode::kFailedPrecondition, path + " is there already; keys are never overwritten");
    return ErrnoStatus(errno, path);
  }
  ::fchmod(fd.get(), mode);  // whatever the umask
  Status written = WriteAll(fd.get(), std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()), path);
  if (written.ok() && ::fsync(fd.get()) != 0) written = ErrnoStatus(errno, path);
  if (!written.ok()) ::unlink(path.c_str());
  return written;
}

Status WriteIdKey(const std::string& path) {
  const std::string octets = mail::RandomOctets(32);
  const auto* begin = reinterpret_cast<const uint8_t*>(octets.data());
  const std::string text =
      "# mailzone healthcheck: key of the IDs. Secret; the same on all servers of the zone.\n" +
      healthcheck::KeyText(std::span<const uint8_t, 32>(begin, 32));
  return WriteNewFile(path, text.ends_with('\n') ? text : text + "\n", 0600);
}

std::string DkimKeyPath(const std::string& directory, DkimKey key, std::string_view ending) {
  return directory + "/" + std::string(healthcheck::DkimKeyWord(key)) + std::string(ending);
}

Status WriteDkimKey(const std::string& directory, DkimKey key) {
  MZ_ASSIGN_OR_RETURN(const mail::PrivateKey made, Generate(key));
  MZ_ASSIGN_OR_RETURN(const std::string secret, made.Pem());
  MZ_ASSIGN_OR_RETURN(const std::string open, made.PublicPem());
  MZ_RETURN_IF_ERROR(WriteNewFile(DkimKeyPath(directory, key, ".pem"), secret, 0600));
  return WriteNewFile(DkimKeyPath(directory, key, ".pub"), open, 0644);
}

StatusOr<const mail::PrivateKey*> KeyRing::Get(DkimKey key) {
  std::optional<mail::PrivateKey>& slot = keys_[static_cast<size_t>(key)];
  if (!slot) {
    const std::string path = DkimKeyPath(directory_, key, ".pem");
    StatusOr<mail::PrivateKey> read = mail::PrivateKey::FromPemFile(path);
    if (read.status().code() == StatusCode::kNotFound)
      return MakeStatus(StatusCode::kNotFound,
                        path + ": not there; `mailzone healthcheck keygen " + directory_ + "` makes it");
    if (!read.ok()) return read.status();
    slot.emplace(*std::move(read));
  }
  return &*slot;
}

}  // namespace mz::cli
