// mailzone healthcheck: the table of its sub-verbs.
#include "cli/healthcheck/verbs.h"
#include "cli/verb_group.h"

namespace mz::cli {
namespace {

constexpr Verb kSubVerbs[] = {
    {"list", "the outcomes that can be asked for, with a sentence each", RunHealthcheckList},
    {"keygen", "make the key of the IDs and the DKIM keys of a zone", RunHealthcheckKeygen},
    {"new", "make an ID; print its addresses and the records that will be answered", RunHealthcheckNew},
    {"explain", "say what an ID stands for, and what a good receiver does", RunHealthcheckExplain},
    {"send", "compose, sign and send the mail of an ID", RunHealthcheckSend},
    {"matrix", "send a named set of test mails and compare what happens", RunHealthcheckMatrix},
};

}  // namespace

int RunHealthcheckVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  return RunVerbGroup(
      {.name = "healthcheck",
       .examples =
           "mailzone healthcheck keygen /etc/mailzone/healthcheck\n"
           "mailzone healthcheck new --config mailzone.toml --spf softfail --dkim revoked\n"
           "mailzone healthcheck send --config mailzone.toml --to me@example.org --dmarc reject --spf fail\n"
           "mailzone healthcheck matrix --config mailzone.toml --to me@example.org --set basic\n",
       .summary = "Test mails whose sender's records are answered, good or broken, by a healthcheck zone.",
       .verbs = kSubVerbs},
      arguments, terminal);
}

}  // namespace mz::cli
