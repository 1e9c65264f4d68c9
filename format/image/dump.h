// A stable text of an image: what it serves, one thing per line, in an order that depends on the content
// only. Two images that answer alike have the same text, whatever their offsets, hash seed or creation time:
// made for diff(1) and golden tests.
//
//   Dump(view, [](std::string_view lines) { fwrite(lines.data(), 1, lines.size(), stdout); });
//
// Form (two spaces per level):
//
//   profile 0x7f
//   global acl
//     10.0.0.0/8 refuse
//   zone bl.test.
//     flags ent-nxdomain minimal
//     serial 1700000000
//     soa 3600 ns.ex.test. adm.ex.test. 1700000000 7200 600 604800 300
//     ns 7200 ns1.bl.test.
//     glue 2100 ns1.bl.test. 127.0.0.2
//     dataset ip4set ttl 2100
//       10.0.0.0/15 A 127.0.0.2 TXT "ten"
//     dataset dnset ttl 2100
//       com excluded                              the name itself
//       *.com A 127.0.0.2                         everything below
//     dataset generic ttl 2100
//       www 2100 MX 10 mail.bl.test.
//     dataset combined ttl 2100
//       subzone a.b                               "@" is the zone itself
//         dataset ip4set ttl 60
//           ...
//
// Addresses and names are sorted (names canonically, parents first). Memory: 4 bytes a name, nothing per
// address.
#pragma once

#include "format/image/present.h"
#include "format/image/view.h"

namespace mz::image {

void Dump(const View& view, const TextSink& sink);

}  // namespace mz::image
