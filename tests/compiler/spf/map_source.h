// DNS data in memory for tests of the evaluator: names and records in, answers as a resolver would give them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/spf/evaluator.h"
#include "compiler/spf/wire_names.h"
#include "format/net/address.h"

namespace mz::compiler::spf {

class MapSource : public AnswerSource {
 public:
  void AddTxt(const std::string& name, const std::vector<std::string>& strings) {
    std::string rdata;
    for (const std::string& s : strings) {
      size_t at = 0;
      do {
        const std::string part = s.substr(at, 255);
        rdata += static_cast<char>(part.size());
        rdata += part;
        at += part.size();
      } while (at < s.size());
    }
    Add(name, 16, rdata);
  }
  void AddA(const std::string& name, const std::string& address) {
    const net::Ip4 a = *net::ParseIp4(address);
    std::string rdata;
    for (int i = 3; i >= 0; i--) rdata += static_cast<char>(a >> (8 * i));
    Add(name, 1, rdata);
  }
  void AddAaaa(const std::string& name, const std::string& address) {
    const net::Ip6 a = *net::ParseIp6(address);
    std::string rdata;
    for (int i = 7; i >= 0; i--) rdata += static_cast<char>(a.high >> (8 * i));
    for (int i = 7; i >= 0; i--) rdata += static_cast<char>(a.low >> (8 * i));
    Add(name, 28, rdata);
  }
  void AddMx(const std::string& name, int preference, const std::string& exchange) {
    std::string rdata{static_cast<char>(preference >> 8), static_cast<char>(preference)};
    if (exchange != ".") rdata += *WireName(exchange);
    rdata += '\0';
    Add(name, 15, rdata);
  }
  void AddCname(const std::string& name, const std::string& target) { cname_[Wire(name)] = Wire(target); }
  void Fail(const std::string& name) { failing_[Wire(name)] = true; }
  void Clear(const std::string& name, uint16_t type) { records_[Wire(name)].erase(type), cache_.clear(); }

  const resolve::Answer* Find(const resolve::Question& q) override {
    auto [it, fresh] = cache_.try_emplace(q);
    if (!fresh) return &it->second;
    resolve::Answer& a = it->second;
    a.ttl = 300;
    std::string name = q.name;
    for (int i = 0; i < 8 && cname_.count(name); i++) name = cname_[name];
    if (failing_.count(name)) {
      a.kind = resolve::Answer::kFailed;
      a.reason = "timeout";
    } else if (auto records = records_.find(name); records == records_.end()) {
      a.kind = resolve::Answer::kNxDomain;
    } else if (auto rrset = records->second.find(q.type); rrset == records->second.end()) {
      a.kind = resolve::Answer::kNoData;
    } else {
      a.kind = resolve::Answer::kData;
      a.rdata = rrset->second;
      std::sort(a.rdata.begin(), a.rdata.end());
      a.rdata.erase(std::unique(a.rdata.begin(), a.rdata.end()), a.rdata.end());
    }
    return &a;
  }

  static std::string Wire(const std::string& name) { return WireName(name).value_or(""); }

 private:
  void Add(const std::string& name, uint16_t type, std::string rdata) {
    records_[Wire(name)][type].push_back(std::move(rdata));
    cache_.clear();
  }
  std::map<std::string, std::map<uint16_t, std::vector<std::string>>> records_;
  std::map<std::string, std::string> cname_;
  std::map<std::string, bool> failing_;
  std::map<resolve::Question, resolve::Answer> cache_;
};

}  // namespace mz::compiler::spf
