// See evaluator.h: which records there are, what each rests on, and when it must be evaluated again.
#include "compiler/spf/evaluator.h"

#include <algorithm>

#include "compiler/spf/record_evaluation.h"

namespace mz::compiler::spf {

using resolve::Answer;
using resolve::Question;

Evaluator::Evaluator(AnswerSource* source, Options options)
    : source_(source),
      options_(std::move(options)),
      partitions4_(&sets4_, &programs_),
      partitions6_(&sets6_, &programs_) {}

Evaluator::~Evaluator() = default;

Evaluator::Node* Evaluator::NodeOf(const RecordKey& key) {
  auto [it, fresh] = by_key_.try_emplace(key, nullptr);
  if (fresh) {
    it->second = std::make_unique<Node>();
    it->second->key = key;
  }
  return it->second.get();
}

const Answer* Evaluator::Ask(Node* node, const Question& question) {
  if (std::find(node->questions.begin(), node->questions.end(), question) == node->questions.end()) {
    node->questions.push_back(question);
    readers_[question].insert(node);
  }
  const Answer* answer = source_->Find(question);
  if (answer == nullptr) {
    missing_.insert(question);
    node->policy.complete = false;
  } else if (answer->kind != Answer::kFailed && answer->kind != Answer::kBogus) {
    node->policy.ttl = std::min(node->policy.ttl, answer->ttl);
  }
  return answer;
}

void Evaluator::Clear(Node* node) {
  for (const Question& q : node->questions) {
    auto it = readers_.find(q);
    if (it == readers_.end()) continue;
    it->second.erase(node);
    if (it->second.empty()) readers_.erase(it);
  }
  node->questions.clear();
  for (Node* child : node->children) child->parents.erase(node);
  node->children.clear();
  node->findings.clear();
  node->included4.reset();
  node->included6.reset();
  node->loops.clear();
  node->tree_records = node->height = 1;
  node->policy = Policy{};
  node->policy.ttl = 0x7fffffff;
}

void Evaluator::EvaluateNode(Node* node) {
  Clear(node);
  node->stale = false;
  node->state = Node::kRunning;
  stack_.push_back(node);
  RecordEvaluation(this, node).Run();
  stack_.pop_back();
  node->cyclic = std::erase(node->loops, node) != 0;
  // A result that rests on where the record was reached from holds for this time only.
  node->state = node->loops.empty() ? Node::kDone : Node::kUnknown;
}

const Policy& Evaluator::Evaluate(const RecordKey& key) {
  Node* node = NodeOf(key);
  if (node->state != Node::kDone) {
    evaluations_ = 0;
    EvaluateNode(node);
    node->loops.clear();  // nothing stands above
    node->state = Node::kDone;
  }
  return node->policy;
}

void Evaluator::Forget(const Question& question, const std::function<void(const RecordKey&)>& affected) {
  auto it = readers_.find(question);
  if (it == readers_.end()) return;
  // What is above a stale record is stale already.
  std::vector<Node*> queue;
  const auto forget = [&](Node* node) {
    if (node->stale) return;
    node->stale = true;
    node->state = Node::kUnknown;
    queue.push_back(node);
  };
  for (Node* node : it->second) forget(node);
  for (size_t i = 0; i < queue.size(); i++) {
    for (Node* parent : queue[i]->parents) forget(parent);
    if (affected) affected(queue[i]->key);
  }
}

void Evaluator::Discover(const Question& question) {
  auto it = readers_.find(question);
  if (it == readers_.end()) return;
  const std::vector<Node*> readers(it->second.begin(), it->second.end());
  for (Node* node : readers)
    if (node->state != Node::kDone) Evaluate(node->key);
}

void Evaluator::Keep(const std::vector<RecordKey>& keys) {
  for (const RecordKey& key : keys) Evaluate(key);
  epoch_++;
  std::vector<Node*> queue;
  const auto reach = [&](Node* node) {
    if (node->epoch == epoch_) return;
    node->epoch = epoch_;
    queue.push_back(node);
  };
  for (const RecordKey& key : keys) reach(NodeOf(key));
  for (size_t i = 0; i < queue.size(); i++) {
    for (const Question& q : queue[i]->questions) source_->Find(q);
    for (Node* child : queue[i]->children) reach(child);
  }
  std::vector<Node*> gone;
  for (auto& [key, node] : by_key_)
    if (node->epoch != epoch_) gone.push_back(node.get());
  for (Node* node : gone) Clear(node);
  for (Node* node : gone) {
    // Those above are gone as well: nobody that stays leads here.
    const RecordKey key = node->key;
    by_key_.erase(key);
  }
}

std::vector<Question> Evaluator::TakeMissing() {
  std::vector<Question> out;
  out.reserve(missing_.size());
  for (const Question& q : missing_) out.push_back(q);
  missing_.clear();
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Evaluator::Visited> Evaluator::Walk(const std::vector<RecordKey>& keys) {
  std::vector<Visited> out;
  std::vector<std::pair<Node*, int>> todo;  // with the index of the record that leads there
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    Evaluate(*key);
    todo.push_back({NodeOf(*key), -1});
  }
  epoch_++;
  while (!todo.empty()) {
    const auto [node, from] = todo.back();
    todo.pop_back();
    if (node->epoch == epoch_) continue;
    node->epoch = epoch_;
    const int self = static_cast<int>(out.size());
    out.push_back({from < 0 ? 0 : out[static_cast<size_t>(from)].depth + 1, from, node->key, &node->findings});
    for (Node* child : node->children) todo.push_back({child, self});
  }
  return out;
}

std::vector<Question> Evaluator::Questions(const RecordKey& key) {
  std::vector<Question> out;
  for (const Visited& v : Walk({key})) {
    const Node* node = NodeOf(v.key);
    out.insert(out.end(), node->questions.begin(), node->questions.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<RecordKey> Evaluator::PathTo(const RecordKey& key, const Question& question) {
  Evaluate(key);
  epoch_++;
  // Breadth first, so the shortest chain is found.
  std::vector<std::pair<Node*, size_t>> queue{{NodeOf(key), SIZE_MAX}};
  queue[0].first->epoch = epoch_;
  for (size_t i = 0; i < queue.size(); i++) {
    Node* node = queue[i].first;
    if (std::find(node->questions.begin(), node->questions.end(), question) != node->questions.end()) {
      std::vector<RecordKey> path;
      for (size_t at = i; at != SIZE_MAX; at = queue[at].second) path.push_back(queue[at].first->key);
      std::reverse(path.begin(), path.end());
      return path;
    }
    for (Node* child : node->children) {
      if (child->epoch == epoch_) continue;
      child->epoch = epoch_;
      queue.push_back({child, i});
    }
  }
  return {};
}

}  // namespace mz::compiler::spf
