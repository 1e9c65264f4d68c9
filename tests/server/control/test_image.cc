#include "tests/server/control/test_image.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "compiler/build/image_writer.h"
#include "format/dns/name.h"

namespace mz::control {

std::vector<uint8_t> ListImage(const std::vector<std::string>& zones, const std::string& txt, int64_t expires_unix) {
  compiler::ImageModel model;
  model.profile = image::kProfileRbldnsd;
  auto dataset = std::make_unique<compiler::DatasetModel>();
  dataset->kind = image::kIp4Set;
  dataset->spec = "ip4set:data";
  dataset->expires_unix = expires_unix;
  compiler::TextModel text;
  text.literal = txt;
  compiler::ValueModel value;
  value.text = model.pool.InternText(text);
  const compiler::ResultId listed = model.pool.InternResult({value});
  dataset->map4 = {{0, 0}, {0x7f000002, listed}, {0x7f000003, 0}};
  model.datasets.push_back(std::move(dataset));
  for (const std::string& name : zones) {
    compiler::ZoneModel zone;
    zone.apex = *dns::ParseName(name);
    zone.text = name;
    zone.datasets = {0};
    model.zones.push_back(std::move(zone));
  }
  compiler::WriteOptions options;
  options.created_unix = 0;
  std::vector<uint8_t> out;
  StatusOr<compiler::BuildResult> r = compiler::WriteImage(model, options, &out);
  MZ_CHECK(r.ok());
  return out;
}

void PublishFile(const std::string& path, const std::vector<uint8_t>& bytes) {
  AtomicFile file(path);
  MZ_CHECK(file.Open().ok() && file.Write(bytes).ok() && file.Commit().ok());
}

void OverwriteFile(const std::string& path, const std::string& bytes) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  MZ_CHECK(fd.valid());
  MZ_CHECK(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

std::vector<uint8_t> Query(const std::string& name, uint16_t type, uint16_t id) {
  std::vector<uint8_t> q = {uint8_t(id >> 8), uint8_t(id), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  const std::string wire = *dns::ParseName(name);
  q.insert(q.end(), wire.begin(), wire.end());
  for (uint8_t b : {uint8_t(0), uint8_t(type >> 8), uint8_t(type), uint8_t(0), uint8_t(1)}) q.push_back(b);
  return q;
}

}  // namespace mz::control
