// See change_record.h.
#include "cli/spf/change_record.h"

#include <fcntl.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "compiler/spf/policy_diff.h"
#include "compiler/spf/txt_records.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

using nlohmann::json;
using Change = spf::Refresher::Change;

constexpr size_t kMaxAnswers = 20;

json AnswerJson(const resolve::Question& question, const resolve::Answer& answer) {
  if (answer.kind == resolve::Answer::kData) return AnswerTexts(question, answer);
  switch (answer.kind) {
    case resolve::Answer::kNoData:
      return "NODATA";
    case resolve::Answer::kNxDomain:
      return "NXDOMAIN";
    default:
      return answer.reason.empty() ? json(nullptr) : json(answer.reason);
  }
}

}  // namespace

std::string TimeText(int64_t unix_seconds) {
  const std::time_t t = unix_seconds;
  std::tm tm{};
  char text[32] = "";
  if (::gmtime_r(&t, &tm) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return text;
}

std::string QuestionText(const resolve::Question& question) {
  return dns::NameText(question.name) + " " + dns::TypeText(question.type);
}

std::vector<std::string> AnswerTexts(const resolve::Question& question, const resolve::Answer& answer) {
  std::vector<std::string> out;
  for (const std::string& rdata : answer.rdata) {
    if (out.size() == kMaxAnswers) {
      out.push_back(std::to_string(answer.rdata.size() - kMaxAnswers) + " more");
      break;
    }
    const auto* octets = reinterpret_cast<const uint8_t*>(rdata.data());
    std::string text;
    if (question.type == 1 && rdata.size() == 4) {
      text = net::ToString(LoadBe32(octets));
    } else if (question.type == 28 && rdata.size() == 16) {
      text = net::ToString(net::Ip6::FromBytes(octets));
    } else if (question.type == 15 && rdata.size() >= 3) {
      text = std::to_string(octets[0] << 8 | octets[1]) + " " +
             dns::NameText(std::string_view(rdata).substr(2, rdata.size() - 3));
    } else if (question.type != 16 || !spf::JoinStrings(rdata, &text)) {
      constexpr char kHex[] = "0123456789abcdef";
      text = "\\# ";
      for (char c : rdata) text += kHex[static_cast<uint8_t>(c) >> 4], text += kHex[static_cast<uint8_t>(c) & 15];
    }
    out.push_back(std::move(text));
  }
  return out;
}

Status AppendLines(const std::string& path, const std::vector<std::string>& lines) {
  if (lines.empty()) return absl::OkStatus();
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, path);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return WriteAll(fd.get(), {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, path);
}

void ChangeRecord::Remember() {
  spf::Evaluator& evaluator = session_.refresher().evaluator();
  published_.clear();
  for (const SpfZone& zone : session_.zones()) {
    for (const spf::DomainSetting& d : zone.settings.domains) {
      const spf::Policy& p = evaluator.Evaluate(SpfSession::KeyOf(d));
      if (p.complete) published_[SpfSession::KeyOf(d)] = {p.v4, p.v6};
    }
  }
}

std::string ChangeRecord::Growth(const spf::Partition& before, const spf::Partition& after) {
  spf::Evaluator& e = session_.refresher().evaluator();
  const spf::ProgramId pass = e.programs().Decided(spf::Default::kPass);
  const auto count = [&](const spf::Partition& p) {
    uint64_t n = 0;
    for (const spf::Entry& region : e.partitions4().Regions(p))
      if (region.program == pass)
        for (const net::Range4& r : e.sets4().Get(region.set)) n += uint64_t{r.last} - r.first + 1;
    return n;
  };
  const uint64_t was = count(before), is = count(after);
  const bool huge = is > kAlertPassAddresses && was <= kAlertPassAddresses;
  if (!huge && (is <= kFewPassAddresses || is <= 2 * was)) return "";
  return std::to_string(is) + " IPv4 addresses pass, " + std::to_string(was) + " before";
}

template <typename F>
void ChangeRecord::AddFamily(const SpfZone& zone, const spf::DomainSetting& domain, const spf::Partition& before,
                             const spf::Partition& after, const std::vector<Change>& changes, int64_t now,
                             std::vector<std::string>* lines) {
  spf::Evaluator& e = session_.refresher().evaluator();
  std::vector<spf::PolicyDelta> deltas;
  if constexpr (F::kIsV4)
    deltas = spf::DiffPolicies<F>(&e.sets4(), &e.partitions4(), before, after);
  else
    deltas = spf::DiffPolicies<F>(&e.sets6(), &e.partitions6(), before, after);
  if (deltas.empty()) return;
  json line = {{"time", TimeText(now)},
               {"zone", dns::NameText(zone.settings.apex)},
               {"domain", dns::NameText(domain.name)},
               {"family", F::kIsV4 ? 4 : 6},
               {"changes", json::array()}};
  for (const spf::PolicyDelta& d : deltas) {
    uint64_t total = 0;
    std::vector<std::string> prefixes;
    if constexpr (F::kIsV4)
      prefixes = spf::PrefixTexts<F>(e.sets4().Get(d.set), kMaxListedPrefixes, &total);
    else
      prefixes = spf::PrefixTexts<F>(e.sets6().Get(d.set), kMaxListedPrefixes, &total);
    line["changes"].push_back({{"prefixes", prefixes},
                               {"count", total},
                               {"before", spf::ResidualText(&e.programs(), d.before, F::kIsV4, zone.settings.form)},
                               {"after", spf::ResidualText(&e.programs(), d.after, F::kIsV4, zone.settings.form)}});
  }
  if constexpr (F::kIsV4)
    if (const std::string growth = Growth(before, after); !growth.empty()) line["alert"] = growth;
  for (const Change& c : changes) {
    const std::vector<spf::RecordKey> path = e.PathTo(SpfSession::KeyOf(domain), c.question);
    if (path.empty()) continue;
    line["cause"] = {{"question", QuestionText(c.question)},
                     {"before", AnswerJson(c.question, c.before)},
                     {"after", AnswerJson(c.question, c.after)}};
    line["path"] = json::array();
    for (const spf::RecordKey& k : path) line["path"].push_back(dns::NameText(k.owner));
    break;
  }
  lines->push_back(line.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::vector<std::string> ChangeRecord::Update(const std::vector<Change>& changes, int64_t now) {
  std::vector<std::string> lines;
  spf::Evaluator& evaluator = session_.refresher().evaluator();
  // The answers that were known before and became others come first: a question that is new follows from them.
  std::vector<Change> ordered;
  for (const Change& c : changes)
    if (!c.first) ordered.push_back(c);
  for (const Change& c : changes)
    if (c.first) ordered.push_back(c);
  for (const SpfZone& zone : session_.zones()) {
    for (const spf::DomainSetting& d : zone.settings.domains) {
      const spf::RecordKey key = SpfSession::KeyOf(d);
      if (!session_.refresher().dirty().contains(key)) continue;
      const spf::Policy& p = evaluator.Evaluate(key);
      auto [it, fresh] = published_.try_emplace(key);
      Published& was = it->second;
      if (fresh) {
        lines.push_back(json({{"time", TimeText(now)},
                              {"zone", dns::NameText(zone.settings.apex)},
                              {"domain", dns::NameText(d.name)},
                              {"new", true}})
                            .dump(-1, ' ', false, json::error_handler_t::replace));
      } else {
        AddFamily<spf::V4>(zone, d, was.v4, p.v4, ordered, now, &lines);
        AddFamily<spf::V6>(zone, d, was.v6, p.v6, ordered, now, &lines);
      }
      was = {p.v4, p.v6};
    }
  }
  return lines;
}

}  // namespace mz::cli
