// See message_reader.h.
#include "format/dns/message_reader.h"

#include "base/endian.h"
#include "format/dns/name.h"

namespace mz::dns {
namespace {

Status Damaged(size_t offset, std::string_view what) {
  return MakeStatus(StatusCode::kDataLoss,
                    "malformed message at octet " + std::to_string(offset) + ": " + std::string(what));
}

// More would only be made to cost time: a name has at most 127 labels.
constexpr int kMaxPointers = 127;

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> wire) : wire_(wire) {}

  StatusOr<Message> Read() {
    Message m;
    if (wire_.size() < kHeaderBytes) return Damaged(wire_.size(), "shorter than a header");
    m.bytes = wire_.size();
    m.id = LoadBe16(&wire_[0]);
    m.flags = LoadBe16(&wire_[2]);
    at_ = kHeaderBytes;
    for (uint16_t n = LoadBe16(&wire_[4]); n > 0; n--) {
      Question q;
      MZ_RETURN_IF_ERROR(ReadName(&at_, &q.name));
      if (wire_.size() - at_ < 4) return Damaged(at_, "question cut off");
      q.type = LoadBe16(&wire_[at_]);
      q.qclass = LoadBe16(&wire_[at_ + 2]);
      at_ += 4;
      m.question.push_back(std::move(q));
    }
    MZ_RETURN_IF_ERROR(ReadSection(LoadBe16(&wire_[6]), &m.answer, nullptr));
    MZ_RETURN_IF_ERROR(ReadSection(LoadBe16(&wire_[8]), &m.authority, nullptr));
    MZ_RETURN_IF_ERROR(ReadSection(LoadBe16(&wire_[10]), &m.additional, &m.edns));
    m.trailing_bytes = wire_.size() - at_;
    return m;
  }

 private:
  // Appends the labels to *name; *at moves behind the name. Pointers lead strictly backward (RFC 1035 section
  // 4.1.4: "a prior occurance"), which ends every chain.
  Status ReadName(size_t* at, std::string* name) {
    size_t i = *at;
    size_t limit = i;  // pointers must lead below it
    int pointers = 0;
    name->clear();
    for (;;) {
      if (i >= wire_.size()) return Damaged(i, "name cut off");
      const uint8_t length = wire_[i];
      if (length == 0) {
        if (pointers == 0) *at = i + 1;
        return absl::OkStatus();
      }
      if (length >= 0xc0) {
        if (i + 2 > wire_.size()) return Damaged(i, "compression pointer cut off");
        const size_t target = LoadBe16(&wire_[i]) & 0x3fff;
        if (target >= limit) return Damaged(i, "compression pointer does not lead backward");
        if (pointers == 0) *at = i + 2;
        if (++pointers > kMaxPointers) return Damaged(i, "too many compression pointers");
        i = limit = target;
        continue;
      }
      if (length > kMaxLabelBytes) return Damaged(i, "unknown label type");
      if (wire_.size() - i < 1u + length) return Damaged(i, "label cut off");
      name->append(reinterpret_cast<const char*>(&wire_[i]), 1u + length);
      if (name->size() + 1 > kMaxNameBytes) return Damaged(i, "name longer than 255 octets");
      i += 1u + length;
    }
  }

  // Decompresses a name that must end inside the RDATA.
  Status RdataName(size_t* at, size_t end, std::string* out) {
    std::string name;
    MZ_RETURN_IF_ERROR(ReadName(at, &name));
    if (*at > end) return Damaged(*at, "a name runs out of its RDATA");
    *out += name;
    out->push_back('\0');
    return absl::OkStatus();
  }

  Status ReadRdata(uint16_t type, size_t bytes, std::string* out) {
    size_t i = at_;
    const size_t end = at_ + bytes;
    switch (type) {
      case kTypeNs:
      case kTypeCname:
      case kTypePtr:
        MZ_RETURN_IF_ERROR(RdataName(&i, end, out));
        break;
      case kTypeMx:
        if (bytes < 2) return Damaged(i, "MX without a preference");
        out->assign(reinterpret_cast<const char*>(&wire_[i]), 2);
        i += 2;
        MZ_RETURN_IF_ERROR(RdataName(&i, end, out));
        break;
      case kTypeSoa:
        MZ_RETURN_IF_ERROR(RdataName(&i, end, out));
        MZ_RETURN_IF_ERROR(RdataName(&i, end, out));
        if (end - i != 20) return Damaged(i, "SOA without five numbers");
        out->append(reinterpret_cast<const char*>(&wire_[i]), 20);
        i = end;
        break;
      default:
        if (bytes > 0) out->assign(reinterpret_cast<const char*>(&wire_[i]), bytes);
        i = end;
    }
    if (i != end) return Damaged(i, "octets left in the RDATA");
    at_ = end;
    return absl::OkStatus();
  }

  Status ReadOpt(const std::string& owner, size_t fixed, const std::string& rdata,
                 std::optional<MessageEdns>* edns) {
    if (edns->has_value()) return Damaged(fixed, "a second OPT record");
    if (!owner.empty()) return Damaged(fixed, "the owner of OPT is not the root");
    MessageEdns e;
    e.udp_bytes = LoadBe16(&wire_[fixed + 2]);
    e.extended_rcode = wire_[fixed + 4];
    e.version = wire_[fixed + 5];
    e.flags = LoadBe16(&wire_[fixed + 6]);
    for (size_t i = 0; i < rdata.size();) {
      if (rdata.size() - i < 4) return Damaged(fixed, "EDNS option cut off");
      const uint16_t code = LoadBe16(&rdata[i]);
      const size_t length = LoadBe16(&rdata[i + 2]);
      if (rdata.size() - i - 4 < length) return Damaged(fixed, "EDNS option cut off");
      e.options.emplace_back(code, rdata.substr(i + 4, length));
      i += 4 + length;
    }
    *edns = std::move(e);
    return absl::OkStatus();
  }

  Status ReadSection(uint16_t count, std::vector<Record>* records, std::optional<MessageEdns>* edns) {
    for (uint16_t n = 0; n < count; n++) {
      Record r;
      MZ_RETURN_IF_ERROR(ReadName(&at_, &r.name));
      if (wire_.size() - at_ < 10) return Damaged(at_, "record cut off");
      const size_t fixed = at_;
      r.type = LoadBe16(&wire_[fixed]);
      r.rclass = LoadBe16(&wire_[fixed + 2]);
      r.ttl = LoadBe32(&wire_[fixed + 4]);
      const size_t bytes = LoadBe16(&wire_[fixed + 8]);
      at_ += 10;
      if (wire_.size() - at_ < bytes) return Damaged(at_, "RDATA cut off");
      MZ_RETURN_IF_ERROR(ReadRdata(r.type, bytes, &r.rdata));
      if (r.type == kTypeOpt && edns != nullptr) {
        MZ_RETURN_IF_ERROR(ReadOpt(r.name, fixed, r.rdata, edns));
        continue;
      }
      records->push_back(std::move(r));
    }
    return absl::OkStatus();
  }

  std::span<const uint8_t> wire_;
  size_t at_ = 0;
};

}  // namespace

StatusOr<Message> ReadMessage(std::span<const uint8_t> wire) { return Reader(wire).Read(); }

}  // namespace mz::dns
