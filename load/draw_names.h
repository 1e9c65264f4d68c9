// The names of an image by scope, and names made up for queries. Helpers of draw.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format/image/view.h"
#include "load/clock.h"

namespace mz::load {

// All names of an image, sorted by scope; 8 bytes a name.
class NamesByScope {
 public:
  explicit NamesByScope(const image::View& view);
  // Offsets of NameRecords; empty for scope 0 and scopes without names.
  std::span<const uint32_t> Of(uint32_t scope) const;

 private:
  std::vector<uint32_t> offsets_;
  struct Range {
    uint32_t scope, begin, end;
  };
  std::vector<Range> ranges_;
};

// One label of 12 letters and digits in wire form.
std::string RandomLabel(Random& random);
std::string Label(std::string_view text);
// As address datasets are asked: "2.0.0.127" as labels; 32 nibbles for IPv6, least significant first.
std::string ReversedLabels(net::Ip4 address);
std::string ReversedLabels(const net::Ip6& address);
// The same, most significant first (SPF's %{i}).
std::string ForwardLabels(net::Ip4 address);
std::string ForwardLabels(const net::Ip6& address);

}  // namespace mz::load
