// Inside the compiler of healthcheck zones: which records belong to which outcome. One function for each part of the catalogue.
#pragma once

#include <string>
#include <vector>

#include "compiler/healthcheck/model_builder.h"
#include "compiler/healthcheck/record.h"
#include "compiler/healthcheck/zone.h"

namespace mz::compiler {

struct HealthcheckContext {
  const HealthcheckOptions& options;
  Template make;
  HealthcheckModelBuilder* model;

  HealthcheckRecord Txt(std::string_view text) const { return {kHcTypeTxt, options.ttl, make.Text(text)}; }
  HealthcheckRecord Mx(uint16_t preference, std::string_view host) const {
    return {kHcTypeMx, options.ttl, make.Mx(preference, host)};
  }
  // A and AAAA of all mail hosts, without duplicates.
  std::vector<HealthcheckRecord> Addresses() const;
  // "ip4:192.0.2.25 ip6:2001:db8::25"
  std::string IpMechanisms() const;
};

void AddSpfAnswers(const HealthcheckContext& c);       // spf_answers.cc
void AddDkimAnswers(const HealthcheckContext& c);      // mail_answers.cc, as the following
void AddDmarcAnswers(const HealthcheckContext& c);
void AddMxAnswers(const HealthcheckContext& c);
void AddInboundAnswers(const HealthcheckContext& c);
void AddBimiAnswers(const HealthcheckContext& c);
void AddFaults(const HealthcheckContext& c);           // faults.cc

}  // namespace mz::compiler
