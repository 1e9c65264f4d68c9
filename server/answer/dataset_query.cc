// QueryDatasets(); see dataset_query.h.
#include "server/answer/dataset_query.h"

#include "server/answer/healthcheck_query.h"
#include "server/answer/name_search.h"
#include "server/answer/reversed.h"
#include "server/answer/spf_query.h"

namespace mz::answer {
namespace {

class DatasetQuery {
 public:
  explicit DatasetQuery(Search& search) : s_(search) {}

  // `left`: labels between the start of the name and the node's own apex. A combined dataset holds no further
  // combined ones, so the nesting is two levels deep and there is no recursion.
  template <bool kNested>
  void QueryNode(const image::Node& node, unsigned left) {
    const ReversedAddress address = AddressFor(s_.job, node, left);
    for (const image::DatasetRef& ref : image::Datasets(node)) {
      switch (ref.kind) {
        case image::kIp4Set:
        case image::kIp4Tset:
        case image::kIp4Trie:
          if (address.has_ip4) QueryIp4(ref, address.ip4);
          break;
        case image::kIp6Tset:
        case image::kIp6Trie:
          if (address.has_ip6) QueryIp6(ref);
          break;
        case image::kDnset:
          if (left != 0) QueryDnset(ref, left);
          break;
        case image::kGeneric:
          QueryGeneric(ref, left);
          break;
        case image::kSpf:
          if (left != 0) QuerySpfZone(ref);
          break;
        case image::kHealthcheck:
          if (left != 0 && !s_.job.access.empty())
            found_ |= QueryHealthcheck(s_, ref, s_.now_unix) == HealthcheckVerdict::kExists;
          break;
        case image::kCombined:
          if constexpr (!kNested) QueryCombined(ref, left);
          break;
        default:
          break;
      }
    }
  }

  bool Finish() {
    if (listed_for_client_) {
      const Access& access = s_.job.access;
      Subject subject(s_.client);
      s_.composer.AddValue(*access.value, access.ttl, subject);
    }
    return found_;
  }

 private:
  // acl: "empty" finds nothing, a value lists everything that could be asked. True: the dataset itself is not
  // asked.
  bool Overruled() {
    const Access& access = s_.job.access;
    if (access.bits == 0) return false;
    if (access.empty()) return true;
    if (!access.always()) return false;
    found_ = listed_for_client_ = true;
    return true;
  }

  void QueryIp4(const image::DatasetRef& ref, net::Ip4 ip) {
    if (Overruled() || ref.map4 == 0) return;
    const uint32_t result = image::FindAddress(s_.view, s_.view.map(ref.map4), ip).result;
    if (result == 0) return;
    found_ = true;
    Subject subject(ip);
    s_.composer.AddValues(result, ref.ttl, subject);
  }

  void QueryIp6(const image::DatasetRef& ref) {
    if (Overruled() || ref.map6 == 0) return;
    const uint32_t result = image::FindAddress(s_.view, s_.view.map(ref.map6), s_.job.ip6).result;
    if (result == 0) return;
    found_ = true;
    Subject subject(s_.job.ip6);
    s_.composer.AddValues(result, ref.ttl, subject);
  }

  void QueryDnset(const image::DatasetRef& ref, unsigned left) {
    if (Overruled()) return;
    const image::NameRecord* entry = nullptr;
    const uint32_t result = FindDnset(s_.view, ref, left, &s_.job, &entry);
    if (result == 0) return;
    found_ = true;
    Subject subject(image::NameBytes(*entry));
    s_.composer.AddValues(result, ref.ttl, subject);
  }

  // Generic names are served whatever the acl says: rbldnsd turns them into NODATA under "empty" and under a
  // value, which its manual denies.
  void QueryGeneric(const image::DatasetRef& ref, unsigned left) {
    const image::RrsetHeader* rrset = FindGeneric(s_.view, ref, left, &s_.job);
    if (rrset == nullptr) return;
    found_ = true;
    s_.composer.AddRrset(*rrset, s_.state);
  }

  void QueryCombined(const image::DatasetRef& ref, unsigned left) {
    uint8_t depth;
    const image::NameRecord* subzone = FindSubzone(s_.view, ref, left, &s_.job, &depth);
    if (subzone == nullptr) return;
    if (depth == left) found_ = true;  // the apex of a subzone exists
    QueryNode<true>(s_.view.node(subzone->a), left - depth);
  }

  void QuerySpfZone(const image::DatasetRef& ref) {
    const Access& access = s_.job.access;
    if (access.empty()) return;
    switch (QuerySpf(s_, ref, access.always())) {
      case SpfVerdict::kNothing:
        break;
      case SpfVerdict::kExists:
        found_ = true;
        break;
      case SpfVerdict::kOverruled:
        found_ = listed_for_client_ = true;
        break;
      case SpfVerdict::kServFail:
        s_.rcode = dns::kServFail;
        break;
      case SpfVerdict::kRefused:
        s_.rcode = dns::kRefused;
        break;
    }
  }

  Search& s_;
  bool found_ = false;
  bool listed_for_client_ = false;
};

}  // namespace

bool QueryDatasets(Search& search) {
  DatasetQuery query(search);
  query.QueryNode<false>(search.view.node(search.job.zone->node), search.job.apex);
  return query.Finish();
}

}  // namespace mz::answer
