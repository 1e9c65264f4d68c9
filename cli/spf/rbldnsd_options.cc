// See rbldnsd_options.h.
#include "cli/spf/rbldnsd_options.h"

#include <algorithm>

#include "cli/mailzoned/arguments.h"
#include "cli/ttl_bounds.h"

namespace mz::cli {
namespace {

constexpr std::string_view kWithValue = "urbwtclspFxX";

// What a flag would do in rbldnsd and why it does nothing here; null: nothing needs to be said.
const char* WhyIgnored(char flag) {
  switch (flag) {
    case 'e':  // host bits: prefixes in SPF records may have them
    case 'n':  // foreground
    case 'f':  // serve while loading: always
      return nullptr;
    case 'q':
      return "quick start: the first image is served as soon as it is there";
    case 'r':
      return "chroot: the server reads one image and writes nothing";
    case 'w':
      return "directory of data files: there are none";
    case 'a':
    case 'A':
      return "minimal answers: set 'minimal' in a mailzone.toml";
    case 'C':
      return "compressed data files: there are none";
    case 'd':
      return "dump: `mailzone spf emit --format=bind` writes a zone file";
    case 'F':
      return "syslog facility: log lines go to standard error";
    case 'x':
    case 'X':
      return "extension library: there are none";
    case '4':
    case '6':
      return "address family: give -b an address of that family";
    case 'v':
      return "version.bind: it is refused, unless 'version_text' is set in a mailzone.toml";
    case 'h':
      return "it prints and ends";
    default:
      return "";
  }
}

// "address[/port]" of -b.
std::optional<std::string> ListenText(std::string_view text) {
  const size_t slash = text.rfind('/');
  const std::string host(text.substr(0, slash));
  const std::string port(slash == std::string_view::npos ? "53" : text.substr(slash + 1));
  if (host.empty() || port.empty()) return {};
  std::string out = host.find(':') != std::string::npos ? "[" + host + "]:" + port : host + ":" + port;
  if (!ParseListenAddress(out).ok()) return {};
  return out;
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) break;
    const size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    out.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return out;
}

void Take(char flag, const std::string& value, RbldnsdOptions* out) {
  const std::string name = std::string("-") + flag;
  switch (flag) {
    case 'b':
      if (std::optional<std::string> listen = ListenText(value))
        out->listen.push_back(std::move(*listen));
      else
        out->errors.push_back("-b '" + value + "' is not ADDRESS or ADDRESS/PORT");
      return;
    case 't': {
      StatusOr<compiler::TtlBounds> bounds = ParseTtlBounds(value);
      if (!bounds.ok()) {
        out->errors.push_back("-t '" + value + "' is not DEFAULT[:MIN[:MAX]]");
        return;
      }
      out->ttl = bounds->default_ttl;
      if (bounds->min_ttl != 0) out->min_ttl = bounds->min_ttl;
      if (bounds->max_ttl != 0) out->max_ttl = bounds->max_ttl;
      return;
    }
    case 'c': {
      StatusOr<compiler::TtlBounds> time = ParseTtlBounds(value);  // the same units
      if (value.empty() || value.find(':') != std::string::npos || (!time.ok() && value != "0"))
        out->errors.push_back("-c '" + value + "' is not a time");
      else
        out->check_interval = value == "0" ? 0 : time->default_ttl;
      return;
    }
    case 'l': out->query_log = value; return;
    case 's': out->stats_file = value; return;
    case 'p': out->pid_file = value; return;
    case 'u': out->user = value; return;
    default: break;
  }
  const char* why = WhyIgnored(flag);
  if (why == nullptr) return;
  if (*why == '\0')
    out->errors.push_back("rbldnsd has no option " + name);
  else
    out->ignored.push_back(name + " does nothing here (" + why + ")");
}

}  // namespace

RbldnsdOptions ReadRbldnsdOptions(std::string_view text) {
  RbldnsdOptions out;
  const std::vector<std::string> words = Words(text);
  for (size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    if (word.size() < 2 || word[0] != '-') {
      out.errors.push_back("'" + word + "' is not an option; zone and type are the variables ZONE and TYPE");
      continue;
    }
    for (size_t k = 1; k < word.size(); k++) {
      if (kWithValue.find(word[k]) == std::string_view::npos) {
        Take(word[k], "", &out);
        continue;
      }
      std::string value = word.substr(k + 1);
      if (value.empty()) {
        if (i + 1 == words.size()) {
          out.errors.push_back(std::string("-") + word[k] + " wants a value");
          break;
        }
        value = words[++i];
      }
      Take(word[k], value, &out);
      break;
    }
  }
  return out;
}

}  // namespace mz::cli
