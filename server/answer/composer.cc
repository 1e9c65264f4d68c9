// See composer.h.
#include "server/answer/composer.h"

#include "format/dns/txt.h"
#include "server/answer/short_text.h"

namespace mz::answer {
namespace {

constexpr size_t kSoaTtlOffset = 6;         // behind owner pointer, type and class
constexpr size_t kMaxPointerTarget = 0x4000;

uint16_t StoredType(const uint8_t* record) { return LoadBe16(record); }
size_t StoredBytes(const uint8_t* record) { return kStoredRecordHeader + LoadBe16(record + 8); }

}  // namespace

void Subject::Format() {
  switch (kind_) {
    case kIp4:
      size_ = net::FormatIp4(ip4_, text_);
      break;
    case kIp6:
      size_ = net::FormatIp6(*ip6_, text_);
      break;
    case kName:
      size_ = dns::FormatName(name_, text_, sizeof text_);
      break;
  }
}

bool Composer::AddShortText(const image::Text& text, uint32_t ttl, net::Ip4 subject) {
  const size_t most = MostShortTextBytes(text, subject);
  if (most == 0 || !writer_.HasRoom(1 + most)) return false;
  writer_.CommitAnswer(dns::kTypeTxt, ttl, WriteShortText(text, subject, writer_.StartAnswer(1 + most)));
  Chose(dns::kTypeTxt);
  return true;
}

void Composer::AddText(const image::Text& text, uint32_t ttl, Subject& subject) {
  if (subject.is_ip4() && AddShortText(text, ttl, subject.ip4())) return;
  const size_t literal_bytes = text.bytes;
  size_t total = literal_bytes;
  if (text.holes != 0) total += text.holes * subject.size();
  if ((text.flags & image::kTextCut254) && total > kRbldnsdTextBytes) total = kRbldnsdTextBytes;
  if (total == 0) return;  // rbldnsd: an empty text is no TXT record
  const size_t rdata_bytes = dns::TxtRdataBytes(total);
  // Without room the text may still be one that is there already; long texts are not worth that look.
  uint8_t scratch[1 + dns::kMaxCharString];
  const bool in_place = writer_.HasRoom(rdata_bytes) || rdata_bytes > sizeof scratch;
  uint8_t* rdata = in_place ? writer_.StartAnswer(rdata_bytes) : scratch;
  if (rdata == nullptr) return;
  dns::TxtWriter out(rdata, total);
  const uint8_t* literal = image::Literal(text);
  size_t done = 0;
  for (const Le16& hole : image::Holes(text)) {
    out.Put(literal + done, hole - done);
    out.Put(subject.data(), subject.size());
    done = hole;
  }
  out.Put(literal + done, literal_bytes - done);
  if (in_place)
    writer_.CommitAnswer(dns::kTypeTxt, ttl, rdata_bytes);
  else
    writer_.AddAnswer(dns::kTypeTxt, ttl, {scratch, rdata_bytes});
  Chose(dns::kTypeTxt);
}

void Composer::AddValue(const image::Value& value, uint32_t ttl, Subject& subject) {
  if (Wants(dns::kTypeA)) {
    writer_.AddAnswer(dns::kTypeA, ttl, value.a);
    Chose(dns::kTypeA);
  }
  const uint32_t text = value.ref & image::kValueTextMask;
  if (text != 0 && Wants(dns::kTypeTxt)) AddText(view_.text(text), ttl, subject);
}

void Composer::AddValues(uint32_t result, uint32_t ttl, Subject& subject) {
  for (uint32_t i = 0; i < dns::kMaxAnswers; i++) {
    const image::Value& value = view_.value(result + i);
    AddValue(value, ttl, subject);
    if ((value.ref & image::kValueMore) == 0 || writer_.full()) return;
  }
}

void Composer::AddRrset(const image::RrsetHeader& rrset, WorkerState& state) {
  const uint8_t* record = image::Records(rrset).data();
  uint32_t left = rrset.count;
  while (left > 0) {
    // One group of equal types: its first record, its length.
    const uint16_t type = StoredType(record);
    const uint8_t* const group = record;
    uint32_t count = 0;
    while (left > 0 && StoredType(record) == type) {
      record += StoredBytes(record);
      count++;
      left--;
    }
    if (!Wants(type)) continue;
    Chose(type);
    const uint32_t skip = count > 1 ? state.record_rotation++ % count : 0;
    const uint8_t* r = group;
    for (uint32_t i = 0; i < skip; i++) r += StoredBytes(r);
    for (uint32_t i = 0; i < count && !writer_.full(); i++) {
      writer_.AddAnswer(type, LoadBe32(r + 4),
                        {r + kStoredRecordHeader, StoredBytes(r) - kStoredRecordHeader});
      r += StoredBytes(r);
      if (skip + i + 1 == count) r = group;
    }
  }
}

bool Composer::AddBlock(const image::AuthorityBlock& block, dns::Section section, bool glue,
                        size_t apex_offset, uint8_t** records) {
  const uint8_t* stored = image::AuthorityRecords(block);
  const size_t rr_bytes = block.rr_bytes;
  const size_t glue_bytes = glue ? size_t{block.glue_bytes} : 0;
  const size_t base = writer_.size();
  // A compression pointer has 14 bits; behind a longer answer (TCP) the block cannot point at itself.
  if (base + rr_bytes + glue_bytes > kMaxPointerTarget) return false;
  uint8_t* p = writer_.Append(section, {stored, rr_bytes}, block.rr_count);
  if (p == nullptr) return false;
  if (glue_bytes != 0 &&
      writer_.Append(dns::kAdditional, {stored + rr_bytes, glue_bytes}, block.glue_count) == nullptr) {
    writer_.Rewind(section, base, block.rr_count);
    return false;
  }
  for (const image::Relocation& relocation : image::Relocations(block)) {
    const size_t position = relocation.position;
    if (position >= rr_bytes + glue_bytes) continue;
    const uint16_t target = relocation.target;
    const size_t to = target & image::kRelocateQuestion
                          ? apex_offset + (target & ~unsigned{image::kRelocateQuestion})
                          : base + target;
    StoreBe16(p + position, static_cast<uint16_t>(0xc000 | to));
  }
  if (records != nullptr) *records = p;
  return true;
}

bool Composer::AddSoa(const image::ZoneRecord& zone, dns::Section section, uint32_t ttl, size_t apex_offset) {
  uint8_t* record;
  if (!AddBlock(view_.authority(zone.soa), section, false, apex_offset, &record)) return false;
  StoreBe32(record + kSoaTtlOffset, ttl);
  return true;
}

}  // namespace mz::answer
