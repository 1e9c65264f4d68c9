// An image as master files, in the form of `rbldnsd -d`: for feeding another name server, or for eyes that
// know it.
//
//   DumpBind(view, {.now_text = "Sat Nov 21 00:26:55 2026", .program = "mailzone 0.1.0"}, sink);
//
// Address ranges become owner names octet by octet (IPv6: nibble by nibble) with wildcards for whole octets,
// so that a server that follows the wildcard rules of RFC 4592 lists the same addresses. For ip4set the
// wildcards of larger blocks are kept, repeated where names below would hide them, and addresses that a
// larger block lists but the dataset does not are written "CNAME excluded"; other kinds simply have gaps. An
// image knows intervals, not entries: which blocks were written as one entry is guessed (see dump_bind.cc),
// which changes the text but not its meaning. The subject "$" of a wildcard's TXT is the first address of its
// block.
//
// As rbldnsd, and no better: dnset exclusions and acls do not survive (the former become CNAME, the latter
// vanish). Better than rbldnsd: no ip6trie entry is lost, quotes and backslashes in generic TXT are escaped,
// a $TTL of a combined dataset's part is written.
#pragma once

#include <string>

#include "format/image/present.h"
#include "format/image/view.h"

namespace mz::image {

struct DumpBindOptions {
  std::string now_text;  // "; zone dump made NOW"
  std::string program;   // "; PROGRAM"
};

// Memory: 4 bytes a name, some hundred kilobytes for addresses whatever their number.
void DumpBind(const View& view, const DumpBindOptions& options, const TextSink& sink);

}  // namespace mz::image
