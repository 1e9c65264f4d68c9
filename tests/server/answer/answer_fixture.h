// Test zones made by hand, and questions to them.
//
//   TestImage image(image::kProfileRbldnsd);
//   auto list = image.AddDataset(image::kIp4Set);
//   image.List(list, "127.0.0.2", image.Result({{"127.0.0.2", "listed: $"}}));
//   image.AddZone("bl.test", {list});
//   image.Build();
//   Reply r = image.Ask("2.0.0.127.bl.test", "TXT");
//   EXPECT_EQ(r.answer(), std::vector<std::string>{"2.0.0.127.bl.test. 2100 IN TXT \"listed: 127.0.0.2\""});
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/model.h"
#include "compiler/build/shared_sets.h"
#include "format/dns/message_reader.h"
#include "format/dns/query_builder.h"
#include "format/image/view.h"
#include "server/answer/answer.h"

namespace mz::answer {

struct TestValue {
  std::string address;
  std::string text;  // '$' is the place of the subject
  uint8_t text_flags = image::kTextCut254;
};

// A parsed reply; `silent` when nothing came back. Every reply that Ask() returns has passed CheckReply().
struct Reply {
  bool silent = false;
  dns::Message message;
  Outcome outcome;
  std::vector<uint8_t> bytes;

  std::string rcode() const;
  std::string flags() const;  // "qr aa rd"
  std::vector<std::string> question() const;
  std::vector<std::string> answer() const;
  std::vector<std::string> authority() const;
  std::vector<std::string> additional() const;  // without OPT
  const dns::MessageEdns* edns() const { return message.edns ? &*message.edns : nullptr; }
  std::optional<std::string> Option(uint16_t code) const;
};

struct AskOptions {
  std::string qclass = "IN";
  dns::QueryOptions query;
  std::string client = "192.0.2.1";
  bool tcp = false;
  uint32_t now_unix = 1000;
  size_t response_bytes = 0;  // of the buffer; 0: 4096 for UDP, kMaxMessage for TCP
};

class TestImage {
 public:
  explicit TestImage(uint32_t profile = image::kProfileRbldnsd) { model_.profile = profile; }

  using Dataset = uint32_t;
  Dataset AddDataset(image::DatasetKind kind, uint32_t ttl = 2100);
  // A part of a combined dataset, in the named subzones ("@" or "" is the base).
  compiler::DatasetModel& AddPart(Dataset combined, image::DatasetKind kind,
                                  const std::vector<std::string>& subzones, uint32_t ttl = 2100);
  compiler::DatasetModel& dataset(Dataset d) { return *model_.datasets[d]; }

  compiler::ResultId Result(const std::vector<TestValue>& values);
  compiler::ResultId Action(image::AclAction action);

  // Prefix or address; later calls paint over earlier ones. Result 0 is an exclusion.
  void List(compiler::DatasetModel& d, std::string_view prefix, compiler::ResultId result);
  void List(Dataset d, std::string_view prefix, compiler::ResultId result) {
    List(dataset(d), prefix, result);
  }
  // dnset: "name", "*.name" or both forms by two calls.
  void ListName(compiler::DatasetModel& d, std::string_view name, compiler::ResultId result);
  void ListName(Dataset d, std::string_view name, compiler::ResultId result) {
    ListName(dataset(d), name, result);
  }
  void AddRecord(compiler::DatasetModel& d, std::string_view name, uint16_t type, uint32_t ttl,
                 std::string rdata);
  void AddRecord(Dataset d, std::string_view name, uint16_t type, uint32_t ttl, std::string rdata) {
    AddRecord(dataset(d), name, type, ttl, std::move(rdata));
  }

  compiler::ZoneModel& AddZone(std::string_view apex, std::vector<uint32_t> datasets, uint32_t flags = 0);
  // The usual SOA (ttl 3600, minimum 300) and NS records for a zone.
  static void AddSoa(compiler::ZoneModel& zone, uint32_t ttl = 3600, uint32_t minimum = 300);
  static void AddNs(compiler::ZoneModel& zone, const std::vector<std::string>& names, uint32_t ttl = 7200);

  compiler::ImageModel& model() { return model_; }
  // Writes and verifies the image; fails the test when that is impossible.
  void Build(compiler::SharedSetPolicy shared_sets = compiler::SharedSetPolicy::kWhenSmaller);
  const image::View& view() const { return view_; }

  Settings settings;
  WorkerState& state() { return state_; }

  Reply Ask(std::string_view name, std::string_view type, const AskOptions& options = {});
  Reply AskBytes(std::string_view packet, const AskOptions& options = {});

 private:
  compiler::ImageModel model_;
  std::map<const compiler::DatasetModel*, std::map<net::Ip4, compiler::ResultId>> maps4_;
  std::map<const compiler::DatasetModel*, std::map<net::Ip6, compiler::ResultId>> maps6_;
  std::vector<uint8_t> bytes_;
  image::View view_;
  WorkerState state_;
  std::vector<uint32_t> ns_rotation_;
};

// What holds for every reply to any request: it parses without trailing octets, echoes ID and question, has
// QR set and RA, Z, AD and CD clear, keeps to the size limits, and has OPT exactly when the request has (as
// far as it can be read). Returns "" or what is wrong.
std::string CheckReply(std::string_view request, bool tcp, uint16_t max_udp_bytes, const Request& answered);

// "\7example" forms for tests; aborts on a bad name.
std::string Wire(std::string_view name);

}  // namespace mz::answer
