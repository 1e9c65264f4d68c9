// See read_record.h.
#include "compiler/spf/read_record.h"

#include "compiler/spf/txt_records.h"

namespace mz::compiler::spf {

using resolve::Answer;

bool LookupFailed(const Answer* answer, std::string* why) {
  if (answer != nullptr && answer->kind != Answer::kFailed && answer->kind != Answer::kBogus) return false;
  *why = "lookup failed: " + (answer == nullptr ? std::string("not asked yet") : answer->reason);
  return true;
}

RecordRead ReadRecord(AnswerSource* source, const std::string& owner) {
  RecordRead out;
  const Answer* answer = source->Find({owner, kTypeTxt});
  if (LookupFailed(answer, &out.problem)) {
    out.problem = "temperror: TXT " + out.problem;
    out.temporary = true;
    return out;
  }
  std::vector<std::string> records = SpfRecordsOf(*answer);
  if (records.size() != 1) {
    out.problem = !records.empty() ? "permerror: " + std::to_string(records.size()) + " SPF records"
                  : answer->kind == Answer::kNxDomain ? "the name does not exist"
                                                      : "no SPF record";
    return out;
  }
  out.text = std::move(records[0]);
  mz::spf::SyntaxError error;
  if (!mz::spf::ParseRecord(out.text, &out.record, &error)) {
    out.problem = "permerror: " + error.message + " (octet " + std::to_string(error.column) + ")";
    return out;
  }
  out.ok = true;
  return out;
}

}  // namespace mz::compiler::spf
