// The name that a receiver asks an SPF zone for one client.
#pragma once

#include <string>

#include "cli/spf/one_domain.h"
#include "compiler/spf/trace.h"
#include "format/spf/macro.h"

namespace mz::cli {

// What is known about one message. Without sender and HELO name, names that need them keep their macros.
struct MessageFacts {
  compiler::spf::ClientAddress client;
  std::string client_text;     // canonical
  std::string sender, helo;
  bool known() const { return !sender.empty() || !helo.empty(); }
};

// `domain`: presentation form, of %{d}. The views point into the arguments.
mz::spf::MessageMacros MacrosOf(const MessageFacts& facts, std::string_view domain);

// A macro-string as a name; with macros left in it when the message is not known.
std::string NameFor(std::string_view macro_string, const MessageFacts& facts, std::string_view domain);

// By the zone's first layout; a class label asks for pass.
std::string QueryName(const ServedDomain& served, const MessageFacts& facts);

}  // namespace mz::cli
