// Recording and replay of answers, so that a build can be repeated without the network. Formats: answer_json.h.
#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/file.h"
#include "compiler/resolve/answer_json.h"
#include "compiler/resolve/resolver.h"

namespace mz::resolve {
namespace {

using AnswerMap = absl::flat_hash_map<Question, Answer>;

class ReplayResolver final : public Resolver {
 public:
  explicit ReplayResolver(AnswerMap answers) : answers_(std::move(answers)) {}

  void Ask(Question question, Done done) override { queue_.emplace_back(std::move(question), std::move(done)); }
  void Process(int) override {
    // What a callback asks waits for the next call, as on a network.
    for (size_t left = queue_.size(); left > 0; left--) {
      auto [question, done] = std::move(queue_.front());
      queue_.pop_front();
      auto it = answers_.find(question);
      if (it != answers_.end()) {
        done(question, it->second);
        continue;
      }
      Answer missing;
      missing.kind = Answer::kFailed;
      missing.reason = "not in the recording";
      done(question, std::move(missing));
    }
  }
  size_t pending() const override { return queue_.size(); }
  int fd() const override { return -1; }
  int NextDeadlineMs() const override { return queue_.empty() ? -1 : 0; }

 private:
  AnswerMap answers_;
  std::deque<std::pair<Question, Done>> queue_;
};

}  // namespace

struct RecordingResolver::Answers {
  AnswerMap map;
};

RecordingResolver::RecordingResolver(std::unique_ptr<Resolver> inner, std::string path)
    : inner_(std::move(inner)), path_(std::move(path)), answers_(std::make_unique<Answers>()) {}
// Callbacks of `inner_` refer to `answers_`: it goes first.
RecordingResolver::~RecordingResolver() { inner_.reset(); }

void RecordingResolver::Ask(Question question, Done done) {
  inner_->Ask(std::move(question), [this, done = std::move(done)](const Question& q, Answer answer) {
    answers_->map.insert_or_assign(q, answer);
    done(q, std::move(answer));
  });
}
void RecordingResolver::Process(int timeout_ms) { inner_->Process(timeout_ms); }
size_t RecordingResolver::pending() const { return inner_->pending(); }
int RecordingResolver::fd() const { return inner_->fd(); }
int RecordingResolver::NextDeadlineMs() const { return inner_->NextDeadlineMs(); }

Status RecordingResolver::Close() {
  std::vector<const AnswerMap::value_type*> sorted;
  sorted.reserve(answers_->map.size());
  for (const auto& entry : answers_->map) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  std::string text;
  for (const auto* entry : sorted) {
    text += '{';
    AppendQuestion(&text, entry->first);
    text += ',';
    AppendAnswer(&text, entry->first.type, entry->second);
    text += "}\n";
  }
  AtomicFile out(path_);
  MZ_RETURN_IF_ERROR(out.Open());
  MZ_RETURN_IF_ERROR(out.Write({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return out.Commit();
}

StatusOr<std::unique_ptr<Resolver>> MakeReplayResolverFromText(std::string_view text, const std::string& name) {
  AnswerMap answers;
  MZ_RETURN_IF_ERROR(ForEachJsonLine(text, name, [&](const nlohmann::json& object) -> Status {
    MZ_ASSIGN_OR_RETURN(Question question, QuestionFromJson(object));
    MZ_ASSIGN_OR_RETURN(Answer answer, AnswerFromJson(object, question.type));
    if (!answers.try_emplace(std::move(question), std::move(answer)).second)
      return MakeStatus(StatusCode::kInvalidArgument, "the same question for the second time");
    return absl::OkStatus();
  }));
  return std::unique_ptr<Resolver>(new ReplayResolver(std::move(answers)));
}

StatusOr<std::unique_ptr<Resolver>> MakeReplayResolver(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return MakeReplayResolverFromText(text, path);
}

}  // namespace mz::resolve
