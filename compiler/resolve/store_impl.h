// The inside of Store: its table, its heap of due times, its events. Shared by store.cc and store_state.cc only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "compiler/resolve/store.h"

namespace mz::resolve {

// Alarms that were raised already, so that each comes once per outage.
enum Alarm : uint8_t { kAlarmWarned = 1, kAlarmHalf = 2, kAlarmStale = 4 };

struct Node : StoredNode {
  uint64_t ticket = 0;      // of its live heap entry; 0: being asked, or not yet wanted
  bool wanted = false;      // since the last Sweep
  bool scheduled = false;   // was wanted ever: only then it is asked
  uint8_t alarms = 0;
};

struct NodeHash {
  using is_transparent = void;
  size_t operator()(const Question& q) const { return absl::Hash<Question>{}(q); }
  size_t operator()(const std::unique_ptr<Node>& n) const { return absl::Hash<Question>{}(n->question); }
};
struct NodeEqual {
  using is_transparent = void;
  static const Question& Key(const Question& q) { return q; }
  static const Question& Key(const std::unique_ptr<Node>& n) { return n->question; }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const { return Key(a) == Key(b); }
};

struct HeapEntry {
  int64_t due;
  uint64_t ticket;  // rises with every entry: of equal due times the older one is first
  Node* node;
};
inline bool LaterFirst(const HeapEntry& a, const HeapEntry& b) {
  return a.due != b.due ? a.due > b.due : a.ticket > b.ticket;
}

struct Store::Impl {
  StorePolicy policy;
  Judge judge;
  absl::flat_hash_set<std::unique_ptr<Node>, NodeHash, NodeEqual> nodes;
  std::vector<HeapEntry> heap;  // an entry whose ticket is not its node's is dead
  uint64_t last_ticket = 0;
  uint64_t random = 0;
  std::vector<StoreEvent> events;

  void Event(const Node& node, StoreEvent::Level level, std::string text);
  void Schedule(Node* node, int64_t due);
  void RebuildHeap();
  void DropDead();
  int64_t RefreshAt(const Node& node, int64_t now);
  void Release(Node* node);
  Change Replace(Node* node, Answer answer, int64_t now);
  Change TakeFailure(Node* node, Answer answer, int64_t now);
  Change TakeGood(Node* node, Answer answer, int64_t now);
  Change Hold(Node* node, Answer answer, Judgement judgement, int64_t now);
  std::vector<const Node*> Sorted() const;
};

}  // namespace mz::resolve
