// See record_encoder.h. Wire forms: RFC 1035 sections 3.2.1, 3.3 and 4.1.4.
#include "compiler/build/record_encoder.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "format/dns/name.h"

namespace mz::compiler {

using image::AuthorityBlock;
using image::Relocation;

namespace {

void Put16(std::string* out, uint32_t v) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v));
}

void Put32(std::string* out, uint32_t v) {
  Put16(out, v >> 16);
  Put16(out, v & 0xffff);
}

}  // namespace

void AuthorityEncoder::PutPointer(uint16_t target) {
  relocations_.emplace_back(static_cast<uint16_t>(records_.size()), target);
  Put16(&records_, 0xc000);
}

void AuthorityEncoder::PutName(std::string_view name, bool question_only) {
  std::string lower(name.substr(0, name.size() - 1));
  dns::LowerName(&lower);
  std::vector<std::pair<std::string, uint16_t>> now_written;
  bool ended = false;
  for (size_t i = 0; i < lower.size() && !ended; i += 1u + static_cast<uint8_t>(lower[i])) {
    const std::string_view rest = std::string_view(lower).substr(i);
    const auto earlier = std::find_if(written_.begin(), written_.end(), [&](const auto& w) { return w.first == rest; });
    if (dns::EndsWith(apex_, rest)) {
      PutPointer(static_cast<uint16_t>(image::kRelocateQuestion | (apex_.size() - rest.size())));
      ended = true;
    } else if (!question_only && earlier != written_.end()) {
      PutPointer(earlier->second);
      ended = true;
    } else {
      now_written.emplace_back(rest, static_cast<uint16_t>(records_.size()));
      records_.append(name.substr(i, 1u + static_cast<uint8_t>(name[i])));
    }
  }
  if (!ended) records_.push_back(0);
  if (!question_only) written_.insert(written_.end(), now_written.begin(), now_written.end());
}

void AuthorityEncoder::PutOwnerAndHead(uint16_t type, uint32_t ttl) {
  PutPointer(image::kRelocateQuestion);
  Put16(&records_, type);
  Put16(&records_, kClassIn);
  Put32(&records_, ttl);
}

size_t AuthorityEncoder::StartRdata() {
  Put16(&records_, 0);
  return records_.size();
}

void AuthorityEncoder::EndRdata(size_t start) {
  StoreBe16(records_.data() + start - 2, static_cast<uint16_t>(records_.size() - start));
  rr_count_++;
  rr_bytes_ = records_.size();
}

void AuthorityEncoder::AddSoa(const Soa& soa, uint32_t serial) {
  PutOwnerAndHead(kTypeSoa, soa.ttl);
  size_t start = StartRdata();
  PutName(soa.mname, false);
  PutName(soa.rname, false);
  for (uint32_t v : {serial, soa.refresh, soa.retry, soa.expire, soa.minimum}) Put32(&records_, v);
  EndRdata(start);
}

void AuthorityEncoder::AddNs(uint32_t ttl, std::string_view name) {
  PutOwnerAndHead(kTypeNs, ttl);
  size_t start = StartRdata();
  PutName(name, false);
  EndRdata(start);
}

void AuthorityEncoder::AddGlue(std::string_view name, uint32_t ttl, const uint8_t address[4]) {
  PutName(name, true);
  Put16(&records_, kTypeA);
  Put16(&records_, kClassIn);
  Put32(&records_, ttl);
  Put16(&records_, 4);
  records_.append(reinterpret_cast<const char*>(address), 4);
  glue_count_++;
}

StatusOr<std::string> AuthorityEncoder::Finish() const {
  if (records_.size() > image::kMaxAuthorityBytes)
    return MakeStatus(StatusCode::kResourceExhausted,
                      "SOA or NS records of " + std::to_string(records_.size()) + " octets");
  AuthorityBlock block{};
  block.rr_count = rr_count_;
  block.rr_bytes = static_cast<uint16_t>(rr_bytes_);
  block.glue_count = glue_count_;
  block.glue_bytes = static_cast<uint16_t>(records_.size() - rr_bytes_);
  block.relocation_count = static_cast<uint16_t>(relocations_.size());
  std::string out(reinterpret_cast<const char*>(&block), sizeof block);
  for (auto [position, target] : relocations_) {
    Relocation relocation{position, target};
    out.append(reinterpret_cast<const char*>(&relocation), sizeof relocation);
  }
  return out + records_;
}

StatusOr<uint32_t> RecordHeap::Store(Kind kind, std::string_view object) {
  auto [it, inserted] = offsets_.try_emplace(XXH3_64bits_withSeed(object.data(), object.size(), kind), 0);
  if (!inserted) {
    const size_t start = size_t{it->second} * 8;
    if (heap_.size() - start >= object.size() && std::memcmp(heap_.At(it->second), object.data(), object.size()) == 0)
      return it->second;
  }
  MZ_ASSIGN_OR_RETURN(uint32_t offset, heap_.Allocate(object.size()));
  std::memcpy(heap_.At(offset), object.data(), object.size());
  if (inserted) it->second = offset;
  return offset;
}

StatusOr<std::string> EncodeRrset(const std::vector<GenericRecord>& records) {
  std::string body;
  for (const GenericRecord& r : records) {
    if (r.rdata.size() > UINT16_MAX)
      return MakeStatus(StatusCode::kResourceExhausted, "a record of more than 65535 octets");
    Put16(&body, r.type);
    Put16(&body, kClassIn);
    Put32(&body, r.ttl);
    Put16(&body, static_cast<uint32_t>(r.rdata.size()));
    body += r.rdata;
  }
  if (records.size() > UINT16_MAX || body.size() > UINT32_MAX)
    return MakeStatus(StatusCode::kResourceExhausted, "more than 65535 records of one name");
  image::RrsetHeader header;
  header.count = static_cast<uint16_t>(records.size());
  header.reserved = static_cast<uint16_t>(0);
  header.bytes = static_cast<uint32_t>(body.size());
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  return out + body;
}

}  // namespace mz::compiler
