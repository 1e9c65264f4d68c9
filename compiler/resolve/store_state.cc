// The state of a Store as text: JSON lines, sorted by question; members of answer_json.h and those of StoredNode that are
// not zero.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "compiler/resolve/answer_json.h"
#include "compiler/resolve/store_impl.h"

namespace mz::resolve {
namespace {

using nlohmann::json;

constexpr int64_t kLatestTime = int64_t{1} << 40;  // far beyond any clock, far from overflow

void AppendNonZero(std::string* out, std::string_view key, int64_t value) {
  if (value == 0) return;
  *out += ',';
  AppendNumber(out, key, value);
}

void AppendNonEmpty(std::string* out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  *out += ',';
  AppendText(out, key, value);
}

void AppendNode(std::string* out, const Node& node) {
  const uint16_t type = node.question.type;
  *out += '{';
  AppendQuestion(out, node.question);
  *out += ',';
  AppendAnswer(out, type, node.usable);
  AppendNonZero(out, "good_at", node.good_at);
  AppendNonZero(out, "first_good_at", node.first_good_at);
  AppendNonZero(out, "next_due", node.next_due);
  AppendNonZero(out, "top_ttl", node.top_ttl);
  AppendNonZero(out, "failures", node.failures);
  AppendNonZero(out, "failing_since", node.failing_since);
  AppendNonEmpty(out, "last_error", node.last_error);
  AppendNonZero(out, "alarms", node.alarms);
  if (node.held) {
    *out += ",\"held\":{";
    AppendAnswer(out, type, *node.held);
    AppendNonZero(out, "count", node.held_count);
    AppendNonZero(out, "since", node.held_since);
    AppendNonEmpty(out, "verdict", node.held_verdict == Verdict::kHold ? "hold" : "confirm");
    AppendNonEmpty(out, "because", node.held_reason);
    *out += '}';
  }
  *out += "}\n";
}

template <typename T>
Status Read(const json& object, const char* key, int64_t high, T* value) {
  int64_t number = static_cast<int64_t>(*value);
  MZ_RETURN_IF_ERROR(ReadNumber(object, key, 0, high, &number));
  *value = static_cast<T>(number);
  return absl::OkStatus();
}

Status ReadHeld(const json& object, Node* node) {
  if (!object.is_object()) return MakeStatus(StatusCode::kInvalidArgument, "\"held\" is not an object");
  MZ_ASSIGN_OR_RETURN(Answer held, AnswerFromJson(object, node->question.type));
  if (held.kind == Answer::kFailed || held.kind == Answer::kBogus)
    return MakeStatus(StatusCode::kInvalidArgument, "a failure cannot be held");
  node->held = std::make_unique<const Answer>(std::move(held));
  MZ_RETURN_IF_ERROR(Read(object, "count", UINT32_MAX, &node->held_count));
  MZ_RETURN_IF_ERROR(Read(object, "since", kLatestTime, &node->held_since));
  std::string verdict;
  MZ_RETURN_IF_ERROR(ReadString(object, "verdict", &verdict));
  if (verdict != "hold" && verdict != "confirm")
    return MakeStatus(StatusCode::kInvalidArgument, "\"verdict\" must be hold or confirm");
  node->held_verdict = verdict == "hold" ? Verdict::kHold : Verdict::kConfirm;
  return ReadString(object, "because", &node->held_reason);
}

StatusOr<std::unique_ptr<Node>> ReadNode(const json& object) {
  auto node = std::make_unique<Node>();
  MZ_ASSIGN_OR_RETURN(node->question, QuestionFromJson(object));
  MZ_ASSIGN_OR_RETURN(node->usable, AnswerFromJson(object, node->question.type));
  node->asked = true;
  MZ_RETURN_IF_ERROR(Read(object, "good_at", kLatestTime, &node->good_at));
  MZ_RETURN_IF_ERROR(Read(object, "first_good_at", kLatestTime, &node->first_good_at));
  MZ_RETURN_IF_ERROR(Read(object, "next_due", kLatestTime, &node->next_due));
  MZ_RETURN_IF_ERROR(Read(object, "top_ttl", UINT32_MAX, &node->top_ttl));
  MZ_RETURN_IF_ERROR(Read(object, "failures", UINT32_MAX, &node->failures));
  MZ_RETURN_IF_ERROR(Read(object, "failing_since", kLatestTime, &node->failing_since));
  MZ_RETURN_IF_ERROR(ReadString(object, "last_error", &node->last_error));
  MZ_RETURN_IF_ERROR(Read(object, "alarms", 7, &node->alarms));
  if (auto it = object.find("held"); it != object.end()) MZ_RETURN_IF_ERROR(ReadHeld(*it, node.get()));
  return node;
}

// The state may come from a machine whose clock was ahead: nothing waits longer than it would have anyway.
void Clamp(Node* node, const StorePolicy& policy, int64_t now) {
  for (int64_t* t : {&node->good_at, &node->first_good_at, &node->failing_since, &node->held_since}) *t = std::min(*t, now);
  const int64_t longest =
      std::max({policy.min_refresh, policy.max_refresh, policy.retry_first, policy.retry_max, policy.confirm_retry});
  node->next_due = std::min(node->next_due, now + longest);
}

}  // namespace

std::string Store::SaveText() const {
  std::string text;
  for (const Node* node : impl_->Sorted())
    if (node->asked) AppendNode(&text, *node);
  return text;
}

Status Store::LoadText(std::string_view text, const std::string& name, int64_t now) {
  decltype(impl_->nodes) loaded;
  MZ_RETURN_IF_ERROR(ForEachJsonLine(text, name, [&](const json& object) -> Status {
    MZ_ASSIGN_OR_RETURN(std::unique_ptr<Node> node, ReadNode(object));
    Clamp(node.get(), impl_->policy, now);
    if (!loaded.insert(std::move(node)).second)
      return MakeStatus(StatusCode::kInvalidArgument, "the same question for the second time");
    return absl::OkStatus();
  }));
  impl_->nodes.merge(loaded);  // what is there already stays
  return absl::OkStatus();
}

Status Store::Save(const std::string& path) const {
  const std::string text = SaveText();
  AtomicFile out(path);
  MZ_RETURN_IF_ERROR(out.Open());
  MZ_RETURN_IF_ERROR(out.Write({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return out.Commit();
}

Status Store::Load(const std::string& path, int64_t now) {
  MZ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return LoadText(text, path, now);
}

}  // namespace mz::resolve
