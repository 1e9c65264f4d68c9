// Answers from a table in memory, for tests and for trying things out without a network.
//
//   MemoryResolver dns;
//   dns.Set("example.com", kTypeTxt, answer);
//   ... dns.calls() ...                        // what was asked, in order
//
// What is not in the table is NXDOMAIN. Names are presentation form. One thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/resolve/resolver.h"
#include "format/dns/name.h"

namespace mz::resolve {

class MemoryResolver : public Resolver {
 public:
  // Requires: a valid name.
  void Set(std::string_view name_text, uint16_t type, Answer answer) {
    answers_[Key(name_text, type)] = std::move(answer);
  }
  void Erase(std::string_view name_text, uint16_t type) { answers_.erase(Key(name_text, type)); }
  const std::vector<Question>& calls() const { return calls_; }
  void ForgetCalls() { calls_.clear(); }

  void Ask(Question question, Done done) override {
    calls_.push_back(question);
    queue_.emplace_back(std::move(question), std::move(done));
  }
  void Process(int) override {
    for (size_t left = queue_.size(); left > 0; left--) {  // what callbacks ask waits for the next call
      auto [question, done] = std::move(queue_.front());
      queue_.pop_front();
      Answer answer;
      answer.kind = Answer::kNxDomain;
      answer.ttl = 60;
      if (auto it = answers_.find(question); it != answers_.end()) answer = it->second;
      done(question, std::move(answer));
    }
  }
  size_t pending() const override { return queue_.size(); }
  int fd() const override { return -1; }
  int NextDeadlineMs() const override { return queue_.empty() ? -1 : 0; }

 private:
  static Question Key(std::string_view name_text, uint16_t type) {
    StatusOr<std::string> wire = dns::ParseName(name_text);
    MZ_CHECK(wire.ok());
    dns::LowerName(&*wire);
    return {*std::move(wire), type};
  }
  std::map<Question, Answer> answers_;
  std::vector<Question> calls_;
  std::deque<std::pair<Question, Done>> queue_;
};

}  // namespace mz::resolve
