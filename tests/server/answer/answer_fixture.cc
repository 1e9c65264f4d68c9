// See answer_fixture.h.
#include "answer_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/build/image_writer.h"
#include "format/dns/name.h"
#include "format/dns/query.h"
#include "format/image/verify.h"

namespace mz::answer {
namespace {

std::vector<std::string> Texts(const std::vector<dns::Record>& records) {
  std::vector<std::string> out;
  for (const dns::Record& r : records) out.push_back(dns::RecordText(r));
  return out;
}

// Sets [first, last] to `value` in a map of interval starts.
template <typename Address, typename Next>
void Paint(std::map<Address, compiler::ResultId>* map, Address first, Address last, bool last_is_end,
           Next next, compiler::ResultId value) {
  if (map->empty()) (*map)[Address{}] = 0;
  const compiler::ResultId after = std::prev(map->upper_bound(last))->second;
  map->erase(map->lower_bound(first), map->upper_bound(last));
  (*map)[first] = value;
  if (!last_is_end) map->try_emplace(next(last), after);
}

template <typename Interval, typename Address>
BigVector<Interval> Intervals(const std::map<Address, compiler::ResultId>& map) {
  BigVector<Interval> out;
  for (const auto& [start, result] : map)
    if (out.empty() || out.back().result != result) out.push_back({start, result});
  return out;
}

Client ParseClient(const std::string& text) {
  if (auto v4 = net::ParseIp4(text)) return Client::FromV4(*v4);
  return Client::FromV6(net::ParseIp6(text).value());
}

}  // namespace

std::string Wire(std::string_view name) { return dns::ParseName(name).value(); }

std::string Reply::rcode() const { return silent ? "silence" : dns::RcodeText(message.rcode()); }

std::string Reply::flags() const {
  std::string out;
  constexpr std::pair<dns::HeaderFlags, const char*> kNames[] = {
      {dns::kFlagQr, "qr"}, {dns::kFlagAa, "aa"}, {dns::kFlagTc, "tc"}, {dns::kFlagRd, "rd"},
      {dns::kFlagRa, "ra"}, {dns::kFlagZ, "z"},   {dns::kFlagAd, "ad"}, {dns::kFlagCd, "cd"}};
  for (auto [flag, text] : kNames)
    if (message.Has(flag)) out += (out.empty() ? "" : " ") + std::string(text);
  return out;
}

std::vector<std::string> Reply::question() const {
  std::vector<std::string> out;
  for (const dns::Question& q : message.question)
    out.push_back(dns::NameText(q.name) + " " + dns::ClassText(q.qclass) + " " + dns::TypeText(q.type));
  return out;
}
std::vector<std::string> Reply::answer() const { return Texts(message.answer); }
std::vector<std::string> Reply::authority() const { return Texts(message.authority); }
std::vector<std::string> Reply::additional() const { return Texts(message.additional); }

std::optional<std::string> Reply::Option(uint16_t code) const {
  if (!message.edns) return std::nullopt;
  for (const auto& [c, data] : message.edns->options)
    if (c == code) return data;
  return std::nullopt;
}

TestImage::Dataset TestImage::AddDataset(image::DatasetKind kind, uint32_t ttl) {
  auto d = std::make_unique<compiler::DatasetModel>();
  d->kind = kind;
  d->ttl = ttl;
  d->spec = "test:" + std::to_string(model_.datasets.size());
  model_.datasets.push_back(std::move(d));
  return static_cast<Dataset>(model_.datasets.size() - 1);
}

compiler::DatasetModel& TestImage::AddPart(Dataset combined, image::DatasetKind kind,
                                           const std::vector<std::string>& subzones, uint32_t ttl) {
  compiler::DatasetModel& parent = dataset(combined);
  auto d = std::make_unique<compiler::DatasetModel>();
  d->kind = kind;
  d->ttl = ttl;
  d->spec = "part";
  parent.parts.push_back(std::move(d));
  for (const std::string& name : subzones) {
    compiler::SubzoneModel s;
    s.name = parent.names.Add(name == "@" ? "" : Wire(name));
    s.parts.push_back(static_cast<uint32_t>(parent.parts.size() - 1));
    parent.subzones.push_back(s);
  }
  return *parent.parts.back();
}

compiler::ResultId TestImage::Result(const std::vector<TestValue>& values) {
  std::vector<compiler::ValueModel> out;
  for (const TestValue& v : values) {
    compiler::ValueModel value;
    const net::Ip4 a = net::ParseIp4(v.address).value();
    for (int i = 0; i < 4; i++) value.a[i] = static_cast<uint8_t>(a >> (24 - 8 * i));
    compiler::TextModel text;
    text.flags = v.text_flags;
    for (const char c : v.text) {
      if (c == '$')
        text.holes.push_back(static_cast<uint16_t>(text.literal.size()));
      else
        text.literal += c;
    }
    if (!v.text.empty()) value.text = model_.pool.InternText(text);
    out.push_back(value);
  }
  return model_.pool.InternResult(out);
}

compiler::ResultId TestImage::Action(image::AclAction action) {
  compiler::ValueModel value;
  value.a[0] = value.a[1] = value.a[2] = 0;
  value.a[3] = action;
  value.is_action = true;
  return model_.pool.InternResult({value});
}

void TestImage::List(compiler::DatasetModel& d, std::string_view prefix, compiler::ResultId result) {
  const size_t slash = prefix.find('/');
  const std::string_view address = prefix.substr(0, slash);
  const int length = slash == prefix.npos ? -1 : std::stoi(std::string(prefix.substr(slash + 1)));
  if (auto v4 = net::ParseIp4(address)) {
    const net::Range4 r = net::PrefixRange4(*v4, length < 0 ? 32 : length);
    Paint(
        &maps4_[&d], r.first, r.last, r.last == ~0u, [](net::Ip4 a) { return a + 1; }, result);
    d.map4 = Intervals<compiler::Interval4>(maps4_[&d]);
  } else {
    const net::Range6 r = net::PrefixRange6(net::ParseIp6(address).value(), length < 0 ? 128 : length);
    Paint(
        &maps6_[&d], r.first, r.last, r.last == net::kIp6Last, [](net::Ip6 a) { return a.Next(); }, result);
    d.map6 = Intervals<compiler::Interval6>(maps6_[&d]);
  }
}

void TestImage::ListName(compiler::DatasetModel& d, std::string_view name, compiler::ResultId result) {
  const bool wild = name.starts_with("*.");
  const std::string wire = Wire(wild ? name.substr(2) : name);
  compiler::DnsetName* entry = nullptr;
  for (compiler::DnsetName& n : d.dnset)
    if (d.names.Get(n.name) == wire) entry = &n;
  if (entry == nullptr) {
    d.dnset.push_back({});
    entry = &d.dnset.back();
    entry->name = d.names.Add(wire);
  }
  entry->flags |= wild ? image::kNameWild : image::kNameExact;
  (wild ? entry->wild : entry->exact) = result;
}

void TestImage::AddRecord(compiler::DatasetModel& d, std::string_view name, uint16_t type, uint32_t ttl,
                          std::string rdata) {
  const std::string wire = name == "@" ? "" : Wire(name);
  compiler::GenericName* owner = nullptr;
  for (compiler::GenericName& n : d.generic)
    if (d.names.Get(n.name) == wire) owner = &n;
  if (owner == nullptr) {
    d.generic.push_back({});
    owner = &d.generic.back();
    owner->name = d.names.Add(wire);
  }
  auto after = std::find_if(owner->records.rbegin(), owner->records.rend(),
                            [&](const compiler::GenericRecord& r) { return r.type == type; });
  owner->records.insert(after == owner->records.rend() ? owner->records.end() : after.base(),
                        {type, ttl, std::move(rdata), 0});
}

compiler::ZoneModel& TestImage::AddZone(std::string_view apex, std::vector<uint32_t> datasets,
                                        uint32_t flags) {
  compiler::ZoneModel z;
  z.apex = Wire(apex);
  z.text = apex;
  z.flags = flags;
  z.datasets = std::move(datasets);
  model_.zones.push_back(std::move(z));
  return model_.zones.back();
}

void TestImage::AddSoa(compiler::ZoneModel& zone, uint32_t ttl, uint32_t minimum) {
  zone.soa = compiler::Soa{
      ttl, Wire("ns.ex.test") + '\0', Wire("adm.ex.test") + '\0', 17, 7200, 600, 604800, minimum};
}

void TestImage::AddNs(compiler::ZoneModel& zone, const std::vector<std::string>& names, uint32_t ttl) {
  compiler::NameServers ns;
  ns.ttl = ttl;
  for (const std::string& n : names) ns.names.push_back(Wire(n) + '\0');
  zone.ns = std::move(ns);
}

void TestImage::Build(compiler::SharedSetPolicy shared_sets) {
  compiler::WriteOptions options;
  options.created_unix = 0;
  options.threads = 1;
  options.shared_sets = shared_sets;
  auto result = compiler::WriteImage(model_, options, &bytes_);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  auto view = image::Verify(bytes_, image::VerifyLevel::kEverything);
  ASSERT_TRUE(view.ok()) << view.status().ToString();
  view_ = *view;
  ns_rotation_.assign(view_.zones().size(), 0);
  state_ = WorkerState{0, ns_rotation_};
}

Reply TestImage::Ask(std::string_view name, std::string_view type, const AskOptions& options) {
  dns::QueryOptions query = options.query;
  if (query.id == 0) query.id = 0x1d1d;
  return AskBytes(dns::BuildQuery(Wire(name), dns::ParseType(type).value(),
                                  dns::ParseClass(options.qclass).value(), query),
                  options);
}

Reply TestImage::AskBytes(std::string_view packet, const AskOptions& options) {
  size_t room = options.response_bytes;
  if (room == 0) room = options.tcp ? kMaxMessage : 4096;
  // Copies on the heap without slack, so that a sanitizer sees every octet too many.
  std::vector<uint8_t> wire(packet.begin(), packet.end());
  std::vector<uint8_t> buffer(room, 0xa5);
  Request r{
      .wire = wire, .client = ParseClient(options.client), .tcp = options.tcp, .now_unix = options.now_unix};
  r.response = buffer;
  Answer(view_, settings, r, state_);
  Reply reply;
  reply.outcome = r.outcome;
  reply.silent = r.response_size == 0;
  EXPECT_EQ(CheckReply(packet, options.tcp, settings.max_udp_bytes, r), "");
  if (reply.silent) return reply;
  reply.bytes.assign(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(r.response_size));
  auto message = dns::ReadMessage(reply.bytes);
  EXPECT_TRUE(message.ok()) << message.status().ToString();
  if (message.ok()) reply.message = *message;
  return reply;
}

std::string CheckReply(std::string_view request, bool tcp, uint16_t max_udp_bytes, const Request& answered) {
  const size_t size = answered.response_size;
  if (size == 0) return answered.outcome.kind == Outcome::kDropped ? "" : "silence that counts as an answer";
  if (answered.outcome.kind == Outcome::kDropped) return "an answer that counts as dropped";
  if (request.size() < dns::kHeaderBytes) return "answered to less than a header";
  const uint16_t request_flags = LoadBe16(request.data() + 2);
  if (request_flags & dns::kFlagQr) return "answered to a response";
  if (size > answered.response.size()) return "longer than the buffer";
  auto m = dns::ReadMessage(answered.response.first(size));
  if (!m.ok()) return m.status().ToString();
  if (m->trailing_bytes != 0) return "trailing octets";
  if (m->id != LoadBe16(request.data())) return "another ID";
  if (!m->Has(dns::kFlagQr)) return "QR is clear";
  if (m->flags & (dns::kFlagRa | dns::kFlagZ | dns::kFlagAd | dns::kFlagCd)) return "RA, Z, AD or CD is set";
  if (m->question.size() > 1) return "several questions";
  if (m->rcode() != answered.outcome.rcode) return "outcome has another RCODE";
  if (m->answer.size() != answered.outcome.answer_count) return "outcome has another answer count";
  dns::Query q;
  const std::span<const uint8_t> wire{reinterpret_cast<const uint8_t*>(request.data()), request.size()};
  const dns::QueryError error = dns::ParseQuery(wire, &q);
  if (q.question_end != 0) {
    if (size < q.question_end ||
        std::memcmp(answered.response.data() + dns::kHeaderBytes, wire.data() + dns::kHeaderBytes,
                    q.question_end - dns::kHeaderBytes) != 0)
      return "the question is not echoed";
    if (answered.outcome.qname_bytes != q.qname_bytes) return "outcome has another name length";
  } else if (!m->question.empty()) {
    return "a question from nowhere";
  }
  if (error == dns::QueryError::kNone && q.edns.present != m->edns.has_value())
    return "OPT in and OPT out differ";
  if (m->Has(dns::kFlagTc) && !(m->answer.empty() && m->authority.empty()))
    return "records in a truncated reply";
  if (!tcp) {
    const size_t offered = std::max<size_t>(q.edns.present ? q.edns.udp_bytes : 0, dns::kMinUdpBytes);
    if (size > std::min<size_t>(offered, std::max<size_t>(max_udp_bytes, dns::kMinUdpBytes)))
      return "too long for UDP";
  }
  const uint16_t rcode = m->rcode();
  const Outcome::Kind kind = rcode == dns::kNoError    ? Outcome::kAnswered
                             : rcode == dns::kNxDomain ? Outcome::kNxdomain
                                                       : Outcome::kError;
  return kind == answered.outcome.kind ? "" : "outcome is of another kind";
}

}  // namespace mz::answer
