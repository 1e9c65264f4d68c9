// The express lane: the commonest queries answered in one pass over the packet, beside the general path of answer.cc.
//
//   ExpressLane lane(view, settings, state);
//   lane.Read(requests, queries);                 // queries[i].plan is null where the lane declines
//   lane.Warm(requests, queries);                 // of more than one; not needed
//   for (size_t i = 0; (i = lane.Answer(requests, queries, i)) < requests.size(); i++)
//     requests[i] goes the general path; lane.Learn(job.zone_index);
//
// A batch is one call of each, with everything that a usual query needs inlined: calls and their saved registers were a
// tenth of the instructions (bench/server/answer).
//
// It takes: opcode QUERY, one question of class IN for A or TXT, EDNS version 0 or none, no acl, one of the zone shapes of
// express_plan.h, a reply of at most 512 octets. Whatever else turns up, the lane declines, at any point and without
// having changed anything; the general path then answers. What the lane answers is octet for octet what the general
// path would have answered, outcome and rotation counters included (tests/server/answer/express_test.cc). No allocation;
// reads only the octets of the request.
#pragma once

#include <cstdint>
#include <span>

#include "format/dns/response_writer.h"
#include "server/answer/answer.h"
#include "server/answer/prefetch.h"

namespace mz::answer {

// A query on its way. Filled by Read(); Find() adds what the name index knows.
struct ExpressQuery {
  const ExpressPlan* plan;
  uint64_t hash;      // of the name, unless the plan is for addresses
  net::Ip4 ip4;
  net::Ip6 ip6;       // with `six`; then ip4 is not
  uint16_t question_end;
  uint16_t qtype;
  uint16_t udp_bytes;  // as offered; 0 without EDNS
  uint8_t name_at;     // offset of the name left of the apex, behind the address, from the start of QNAME
  uint8_t name_bytes;
  uint8_t labels;      // left of the apex, those of the address included
  bool edns, dnssec_ok;
  bool six;            // the address is an IPv6 one
  bool found;          // Find() was here; the following are valid
  bool listed;         // false: no such name in a dnset or generic dataset
  bool searched;       // the map was asked; `result` is what it said
  const image::NameRecord* guess;   // by Warm(): the record that is probably the name's, or null
  const image::MapHeader* map;      // kAddresses, kSubzones
  const image::SpfDomain* domain;   // kPolicies
  const image::RrsetHeader* rrset;  // kRecords
  uint32_t result;                  // kNames: of the name; else what the map says, or the class map behind it
  uint32_t ttl;
};

class ExpressLane {
 public:
  ExpressLane(const image::View& view, const Settings& settings, WorkerState& state);

  // There are as many queries as requests everywhere, at most kBatch.
  void Read(std::span<const Request> requests, std::span<ExpressQuery> queries) const;
  // Overlaps the cache misses of several queries; those that turn out not to be the lane's get a null plan.
  void Warm(std::span<const Request> requests, std::span<ExpressQuery> queries) const;
  // Answers in turn from index `from` on; returns the index of the first request that was declined, or how many there are.
  size_t Answer(std::span<Request> requests, std::span<ExpressQuery> queries, size_t from) const;
  // A query for this zone went the general way: the next one may find a plan.
  void Learn(int32_t zone_index);

 private:
  bool ReadOne(const Request& request, ExpressQuery* q) const;
  bool AnswerOne(ExpressQuery& q, Request& request) const;
  bool Find(const Request& request, ExpressQuery* q) const;
  bool ReadAddress(const uint8_t* packet, size_t apex, ExpressQuery* q, size_t* at) const;
  uint32_t EvaluatePolicy(const ExpressQuery& q) const;
  uint32_t FindListed(const ExpressQuery& q) const;
  uint32_t FindWildcard(const uint8_t* name, const ExpressQuery& q) const;
  bool FindSubzone(const image::NameRecord& record, ExpressQuery* q) const;
  bool Record(const ExpressQuery& q, Request& request) const;
  bool Positive(const ExpressQuery& q, Request& request, size_t size) const;
  bool Negative(const ExpressQuery& q, Request& request) const;
  void AddAuthority(const ExpressQuery& q, Request& request, size_t* size, uint32_t* authority, uint32_t* additional) const;
  dns::ResponseWriter Writer(const ExpressQuery& q, Request& request, size_t size, uint32_t answers) const;
  void Finish(const ExpressQuery& q, Request& request, size_t size, uint16_t rcode, uint16_t answers, uint32_t authority,
              uint32_t additional) const;
  size_t ApexOffset(const ExpressQuery& q) const;

  const image::View& view_;
  const Settings& settings_;
  WorkerState& state_;
  ExpressPlans& plans_;
  uint64_t opt_;  // the first octets of the reply's OPT record, as they lie in memory
};

}  // namespace mz::answer
