// What changed between two images, as a stream.
//
//   Diff(old_view, new_view, [](const Change& c) { ... }, [](const ZoneChanges& z) { ... });
//
// Compared is what the images serve, not their bytes: hash seeds, offsets and creation times do not matter.
// Zones are matched by apex, the datasets of a zone by kind and by their order among those of the kind,
// subzones and names by name, addresses one by one (reported as ranges). Nothing is read into memory but the
// list of names (4 bytes each).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "format/image/view.h"

namespace mz::image {

enum class ChangeKind { kAdded, kRemoved, kChanged };

struct Change {
  ChangeKind kind = ChangeKind::kChanged;
  std::string zone;     // "bl.test."; "" = the image itself (profile, global acl)
  std::string dataset;  // "ip4set", the second of a kind "ip4set#2", in a subzone "combined/sub/ip4set";
                        // "acl"; "" = zone
  std::string
      what;  // "zone", "flags", "soa", "ns", "ttl", "dataset", "subzone", or the address range or name
  bool entry = false;         // `what` is an address range or a name of the dataset
  std::string before, after;  // texts as in dump.h; "" where there is nothing
};

struct ZoneChanges {
  std::string zone;
  ChangeKind kind = ChangeKind::kChanged;        // kAdded, kRemoved: the zone as a whole
  uint64_t added = 0, removed = 0, changed = 0;  // entries
  uint64_t settings = 0;                         // everything else
  uint64_t addresses4_added = 0, addresses4_removed = 0, addresses4_changed = 0;
};

struct DiffOptions {
  bool entries = true;  // false: count them, but do not report each
};

using ChangeSink = std::function<void(const Change&)>;
using ZoneSink = std::function<void(const ZoneChanges&)>;

// `on_zone` is called once behind the changes of every zone that changed; zones in the order of the new
// image, then the removed ones. Returns true when anything changed.
bool Diff(const View& before, const View& after, const DiffOptions& options, const ChangeSink& on_change,
          const ZoneSink& on_zone);

// One line of text: "+ bl.test. ip4set 10.0.0.0/15 A 127.0.0.2 TXT \"ten\"", "- ...", "~ ... OLD -> NEW".
std::string ChangeText(const Change& change);

}  // namespace mz::image
