// Small images for tests of the daemon, made by the real writer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mz::control {

// An image with one ip4set zone per name, in which 127.0.0.2 is listed with A 127.0.0.2 and this TXT.
std::vector<uint8_t> ListImage(const std::vector<std::string>& zones, const std::string& txt, int64_t expires_unix = 0);

// Writes beside and renames, as publishing does.
void PublishFile(const std::string& path, const std::vector<uint8_t>& bytes);
// Writes in place, as careless operators do.
void OverwriteFile(const std::string& path, const std::string& bytes);

// "2.0.0.127.ZONE" and the like, in wire form with a header, as a query for TXT or A.
std::vector<uint8_t> Query(const std::string& name, uint16_t type, uint16_t id);

}  // namespace mz::control
