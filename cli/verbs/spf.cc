// mailzone spf: the table of its sub-verbs.
#include "cli/spf/verbs.h"
#include "cli/verb_group.h"

namespace mz::cli {
namespace {

constexpr Verb kSubVerbs[] = {
    {"check", "what receivers say about a record, with their limits", RunSpfCheck},
    {"tree", "the includes of a domain as a tree, with lookups and prefixes", RunSpfTree},
    {"publish", "the record to publish, and which forms keep all results", RunSpfPublish},
    {"explain", "why an address gets its result, term by term", RunSpfExplain},
    {"diff", "which addresses two domains or two images treat differently", RunSpfDiff},
    {"changes", "what changed, when, and because of which answer of the DNS", RunSpfChanges},
    {"held", "answers that are held back, and questions that fail", RunSpfHeld},
    {"ack", "believe what is held back", RunSpfAck},
    {"emit", "write the policies for rbldnsd, BIND or as JSON", RunSpfEmit},
};

}  // namespace

int RunSpfVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  return RunVerbGroup({.name = "spf",
                       .examples = "mailzone spf check customer.example\n"
                                   "mailzone spf publish mailzone.toml customer.example\n"
                                   "mailzone spf explain mailzone.toml customer.example 192.0.2.1\n",
                       .summary = "Looks into SPF policies: published ones, and those that SPF zones serve.",
                       .verbs = kSubVerbs},
                      arguments, terminal);
}

}  // namespace mz::cli
