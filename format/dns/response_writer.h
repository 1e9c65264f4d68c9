// The packet writer: builds one response in a caller's buffer. No allocation; nothing is written outside the
// limit.
//
//   ResponseWriter w(buffer, limit, tail);    // tail: octets kept free for the OPT record
//   w.Begin(request_wire, q.question_end);    // header and the question, byte for byte
//   w.AddAnswer(kTypeA, ttl, rdata);          // equal RRs once, one TTL per RRset (RFC 2181 section 5)
//   w.Append(kAuthority, records, rr_count);
//   w.AddOpt(opt, rcode);
//   size_t size = w.Finish(flags, rcode);
//
// An answer that does not fit sets overflowed() and leaves the buffer as it was; the caller then calls
// CutToQuestion() and sets TC. Owner names are two-octet pointers to the question. One writer per response;
// not thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "base/copy.h"
#include "base/endian.h"
#include "format/dns/message.h"

namespace mz::dns {

// rbldnsd's limit too. It bounds the duplicate search; ANCOUNT of a longer list would not help any client.
inline constexpr uint32_t kMaxAnswers = 255;
inline constexpr uint16_t kQuestionPointer = 0xc000 | kHeaderBytes;
inline constexpr size_t kAnswerOverhead = 12;  // owner pointer, type, class, TTL, RDLENGTH

enum Section : uint8_t { kAnswer = 0, kAuthority = 1, kAdditional = 2 };

// Everything an OPT record of a reply can say. Spans must live until AddOpt() returns.
struct OptReply {
  uint16_t udp_bytes = 0;                // what we receive
  bool dnssec_ok = false;                // RFC 3225 section 3: copied
  std::span<const uint8_t> nsid;         // empty: no NSID option
  uint16_t extended_error = kErrorNone;  // RFC 8914; without EXTRA-TEXT
  size_t bytes() const {
    return kOptRecordBytes + (nsid.empty() ? 0 : 4 + nsid.size()) + (extended_error == kErrorNone ? 0 : 6);
  }
};

class ResponseWriter {
 public:
  // Writes at most min(limit, buffer.size()) octets, of which `tail` are kept free for AddOpt().
  ResponseWriter(std::span<uint8_t> buffer, size_t limit, size_t tail)
      : out_(buffer.data()), capacity_(buffer.size() < limit ? buffer.size() : limit) {
    room_ = capacity_ > tail ? capacity_ - tail : 0;
  }

  // Copies the ID and, when question_end is not 0, the question. False: not even that fits.
  bool Begin(std::span<const uint8_t> request, size_t question_end) {
    const size_t bytes = question_end == 0 ? kHeaderBytes : question_end;
    if (bytes > capacity_ || bytes > request.size()) return false;
    CopyShort(out_, request.data(), bytes);
    std::memset(out_ + 2, 0, kHeaderBytes - 2);
    StoreBe16(out_ + 4, question_end != 0);
    question_end_ = size_ = bytes;
    return true;
  }

  // Instead of Begin(), when header and question and so many answers are there already: `size` octets. They are not
  // compared with further answers.
  void Continue(size_t question_end, size_t size, uint32_t answers) {
    question_end_ = question_end;
    size_ = size;
    count_[kAnswer] = answers;
  }

  size_t size() const { return size_; }
  uint32_t count(Section s) const { return count_[s]; }
  bool full() const { return overflowed_ || listed_ == kMaxAnswers; }
  bool overflowed() const { return overflowed_; }
  void MarkOverflow() { overflowed_ = true; }

  // One answer with the question's name as owner. RDATA that is there already is not added again; all records
  // of a type get the smallest TTL (RFC 2181 section 5.2). `rdata` lies outside the buffer.
  void AddAnswer(uint16_t type, uint32_t ttl, std::span<const uint8_t> rdata) {
    if (listed_ != 0 && !IsNewAnswer(type, &ttl, rdata)) return;
    uint8_t* p = StartAnswer(rdata.size());
    if (p == nullptr) return;
    CopyShort(p, rdata.data(), rdata.size());
    WriteAnswer(type, ttl, rdata.size());
  }
  // Whether an answer with that much RDATA fits.
  bool HasRoom(size_t rdata_bytes) const { return room_ >= size_ + kAnswerOverhead + rdata_bytes; }
  // AddAnswer() in two steps, for RDATA that is composed in place: room for `rdata_bytes` octets, or null
  // (overflow).
  uint8_t* StartAnswer(size_t rdata_bytes) {
    if (!HasRoom(rdata_bytes)) {
      overflowed_ = true;
      return nullptr;
    }
    return out_ + size_ + kAnswerOverhead;
  }
  void CommitAnswer(uint16_t type, uint32_t ttl, size_t rdata_bytes) {
    if (listed_ != 0 && !IsNewAnswer(type, &ttl, {out_ + size_ + kAnswerOverhead, rdata_bytes})) return;
    WriteAnswer(type, ttl, rdata_bytes);
  }
  // One character-string record of another class and TTL 0 (CH TXT).
  void AddChaosText(std::span<const uint8_t> text) {
    const size_t length = text.size() < kMaxCharString ? text.size() : kMaxCharString;
    uint8_t* p = StartAnswer(1 + length);
    if (p == nullptr) return;
    p[0] = static_cast<uint8_t>(length);
    std::memcpy(p + 1, text.data(), length);
    CommitAnswer(kTypeTxt, 0, 1 + length);
    StoreBe16(p - kAnswerOverhead + 4, kClassCh);
  }

  // Encoded records for any section, all or nothing. Returns where they begin, or null when they do not fit
  // (which is no overflow by itself). The caller patches pointers and TTLs in place.
  uint8_t* Append(Section section, std::span<const uint8_t> records, uint32_t record_count) {
    if (room_ < size_ || room_ - size_ < records.size()) return nullptr;
    uint8_t* p = out_ + size_;
    CopyShort(p, records.data(), records.size());
    size_ += records.size();
    count_[section] += record_count;
    return p;
  }
  // Takes the last Append() back.
  void Rewind(Section section, size_t size, uint32_t record_count) {
    size_ = size;
    count_[section] -= record_count;
  }

  // Back to header and question; the truncated reply of RFC 2181 section 9 (no partial RRset).
  void CutToQuestion() {
    size_ = question_end_;
    count_[kAnswer] = count_[kAuthority] = count_[kAdditional] = 0;
    listed_ = 0;
  }

  // The same with another limit. Requires: nothing but answers was written, and the buffer has so many octets.
  void Restart(size_t capacity, size_t tail) {
    CutToQuestion();
    overflowed_ = false;
    capacity_ = capacity;
    room_ = capacity_ > tail ? capacity_ - tail : 0;
  }

  // Uses the tail. False when it does not fit, which only a caller's wrong `tail` or a tiny buffer can bring
  // about.
  bool AddOpt(const OptReply& opt, uint16_t rcode) {
    const size_t bytes = opt.bytes();
    if (capacity_ - size_ < bytes) return false;
    uint8_t* p = out_ + size_;
    p[0] = 0;  // root
    StoreBe16(p + 1, kTypeOpt);
    StoreBe16(p + 3, opt.udp_bytes);
    p[5] = static_cast<uint8_t>(rcode >> 4);
    p[6] = 0;  // version
    StoreBe16(p + 7, opt.dnssec_ok ? uint16_t{kEdnsDnssecOk} : uint16_t{0});
    StoreBe16(p + 9, static_cast<uint16_t>(bytes - kOptRecordBytes));
    p += kOptRecordBytes;
    if (!opt.nsid.empty()) {
      StoreBe16(p, kOptionNsid);
      StoreBe16(p + 2, static_cast<uint16_t>(opt.nsid.size()));
      std::memcpy(p + 4, opt.nsid.data(), opt.nsid.size());
      p += 4 + opt.nsid.size();
    }
    if (opt.extended_error != kErrorNone) {
      StoreBe16(p, kOptionExtendedError);
      StoreBe16(p + 2, 2);
      StoreBe16(p + 4, opt.extended_error);
    }
    size_ += bytes;
    count_[kAdditional]++;
    return true;
  }

  // Writes flags and counts; the message is complete.
  size_t Finish(uint16_t flags, uint16_t rcode) {
    StoreBe16(out_ + 2, static_cast<uint16_t>(flags | (rcode & kRcodeMask)));
    for (int s = 0; s < 3; s++) StoreBe16(out_ + 6 + 2 * s, static_cast<uint16_t>(count_[s]));
    return size_;
  }

 private:
  // Cheap filter before memcmp: type, length and the last octets.
  static uint32_t Fingerprint(uint16_t type, std::span<const uint8_t> rdata) {
    uint32_t last = 0;
    if (rdata.size() >= 4) std::memcpy(&last, rdata.data() + rdata.size() - 4, 4);
    return last * 0x9e3779b1u + static_cast<uint32_t>(rdata.size()) * 65599u + type;
  }

  // Everything of the record at size_ but its RDATA, which is there.
  void WriteAnswer(uint16_t type, uint32_t ttl, size_t rdata_bytes) {
    if (listed_ == kMaxAnswers) return;
    uint8_t* rr = out_ + size_;
    StoreBe16(rr, kQuestionPointer);
    StoreBe16(rr + 2, type);
    StoreBe16(rr + 4, kClassIn);
    StoreBe32(rr + 6, ttl);
    StoreBe16(rr + 10, static_cast<uint16_t>(rdata_bytes));
    position_[listed_] = static_cast<uint16_t>(size_);
    print_[listed_] = Fingerprint(type, {rr + kAnswerOverhead, rdata_bytes});
    listed_++;
    count_[kAnswer]++;
    size_ += kAnswerOverhead + rdata_bytes;
  }

  // Settles the TTL of the type's RRset, *ttl included, and says whether the RDATA is new.
  bool IsNewAnswer(uint16_t type, uint32_t* ttl, std::span<const uint8_t> rdata) {
    const uint32_t print = Fingerprint(type, rdata);
    bool duplicate = false;
    const uint8_t* same_type = nullptr;
    for (uint32_t i = 0; i < listed_; i++) {
      const uint8_t* other = out_ + position_[i];
      if (LoadBe16(other + 2) != type) continue;
      same_type = other;
      if (print_[i] == print && LoadBe16(other + 10) == rdata.size() &&
          std::memcmp(other + kAnswerOverhead, rdata.data(), rdata.size()) == 0) {
        duplicate = true;
        break;
      }
    }
    if (same_type == nullptr) return true;
    const uint32_t old_ttl = LoadBe32(same_type + 6);
    if (*ttl < old_ttl) {
      for (uint32_t i = 0; i < listed_; i++) {
        uint8_t* other = out_ + position_[i];
        if (LoadBe16(other + 2) == type) StoreBe32(other + 6, *ttl);
      }
    } else {
      *ttl = old_ttl;
    }
    return !duplicate;
  }

  uint8_t* out_;
  size_t capacity_;
  size_t room_;
  size_t size_ = 0;
  size_t question_end_ = 0;
  uint32_t count_[3] = {0, 0, 0};
  uint32_t listed_ = 0;  // answers that came through CommitAnswer(), with their places below
  bool overflowed_ = false;
  uint16_t position_[kMaxAnswers];
  uint32_t print_[kMaxAnswers];
};

}  // namespace mz::dns
