// Recording, replay, and the text form of answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/file.h"
#include "compiler/resolve/memory_resolver.h"
#include "compiler/resolve/resolver.h"
#include "format/dns/message.h"
#include "format/dns/name.h"

namespace mz::resolve {
namespace {

using dns::kTypeA;
using dns::kTypeMx;
using dns::kTypeTxt;

std::string Path(const char* name) { return testing::TempDir() + "/mz_recording_" + name + std::to_string(getpid()); }
std::string Wire(std::string_view text) { return dns::ParseName(text).value(); }
Answer Data(std::vector<std::string> rdata) {
  Answer a;
  a.kind = Answer::kData;
  a.ttl = 300;
  a.rdata = std::move(rdata);
  std::sort(a.rdata.begin(), a.rdata.end());
  return a;
}
Answer AskOne(Resolver* r, const Question& q) {
  Answer got;
  r->Ask(q, [&](const Question&, Answer a) { got = std::move(a); });
  while (r->pending() > 0) {
    EXPECT_EQ(r->NextDeadlineMs(), 0);
    r->Process(0);
  }
  return got;
}
void ExpectSame(const Answer& a, const Answer& b, const std::string& of) {
  EXPECT_TRUE(a.SameData(b)) << of;
  EXPECT_EQ(a.ttl, b.ttl) << of;
  EXPECT_EQ(a.secure, b.secure) << of;
  EXPECT_EQ(a.reason, b.reason) << of;
}

TEST(RecordingTest, ReplayGivesWhatWasRecordedOctetForOctet) {
  const std::string path = Path("octets");
  std::mt19937 random(7);
  auto octets = [&](size_t n) {
    std::string s;
    while (s.size() < n) s += static_cast<char>(random());
    return s;
  };
  auto memory = std::make_unique<MemoryResolver>();
  MemoryResolver* table = memory.get();
  std::vector<std::pair<Question, Answer>> expected;
  auto add = [&](const std::string& wire, uint16_t type, Answer a) {
    table->Set(dns::NameText(wire), type, a);
    std::string lower = wire;
    dns::LowerName(&lower);
    expected.push_back({{lower, type}, std::move(a)});
  };
  std::string all;
  for (int c = 0; c < 256; c++) all += static_cast<char>(c);
  std::string long_txt;
  for (int i = 0; i < 20; i++) long_txt += '\xff' + octets(255);
  add(Wire("txt.example"), kTypeTxt, Data({"\x0bv=spf1 -all", "\x0cv=spf1 \"x\\y\"", std::string("\0", 1), "", "\1a\1b", "\5a"}));
  add(Wire("all.example"), kTypeTxt, Data({'\xff' + all.substr(0, 255), '\xff' + all.substr(1, 255), long_txt}));
  add(Wire("a"), kTypeA, Data({std::string("\0\0\0\0", 4), "\xff\xff\xff\xff", "abc"}));
  add(Wire("m"), kTypeMx, Data({std::string("\0\0\0", 3), std::string("\0\x0a\4MaIl\1.\0", 10), "\xff\xff"}));
  add(std::string("\3a.b\2\0\xff", 7), kTypeTxt, Data({"\1x"}));
  add("", 2, Data({Wire("ns") + '\0'}));
  for (int i = 0; i < 500; i++) {
    const uint16_t types[] = {1, 28, 15, 16, 99, 257, 65535, 256, 41, 0};
    std::string name = "\x09" + octets(9);
    name += static_cast<char>(2);
    name += std::to_string(100 + i).substr(1);
    add(name, types[i % 10], Data({octets(random() % 40), octets(4), octets(16)}));
  }
  Answer none;
  none.kind = Answer::kNoData;
  add(Wire("none"), kTypeTxt, none);
  none.kind = Answer::kBogus;
  none.reason = "bogus: \"quoted\" \\ and so on";
  add(Wire("bogus"), kTypeTxt, none);

  RecordingResolver recorder(std::move(memory), path);
  for (const auto& [q, a] : expected) ExpectSame(AskOne(&recorder, q), a, dns::NameText(q.name));
  ASSERT_TRUE(recorder.Close().ok());
  const std::string text = ReadFile(path).value();
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
  auto replay = MakeReplayResolver(path);
  ASSERT_TRUE(replay.ok()) << replay.status();
  for (const auto& [q, a] : expected) ExpectSame(AskOne(replay->get(), q), a, dns::NameText(q.name));
  // Replaying into another recording gives the same file.
  RecordingResolver second(*std::move(replay), path + ".2");
  for (size_t i = expected.size(); i-- > 0;) AskOne(&second, expected[i].first);
  ASSERT_TRUE(second.Close().ok());
  EXPECT_EQ(ReadFile(path + ".2").value(), text);
  unlink(path.c_str());
  unlink((path + ".2").c_str());
}

TEST(RecordingTest, IsReadable) {
  const std::string path = Path("readable");
  auto memory = std::make_unique<MemoryResolver>();
  memory->Set("Example.com", kTypeTxt, Data({"\x0bv=spf1 -all", "\1a\1b", "\2\xc3\xa4"}));
  memory->Set("mail.example.com", kTypeA, Data({std::string("\xc0\0\2\1", 4)}));
  memory->Set("example.com", kTypeMx, Data({std::string("\0\x0a", 2) + Wire("Mail.example.com") + '\0'}));
  memory->Set("example.com", 257, Data({std::string("\0\5issue", 7)}));
  RecordingResolver r(std::move(memory), path);
  for (const uint16_t type : {kTypeTxt, kTypeMx, dns::Type(257)}) AskOne(&r, {Wire("example.com"), type});
  AskOne(&r, {Wire("mail.example.com"), kTypeA});
  AskOne(&r, {Wire("nx.example.com"), kTypeA});
  ASSERT_TRUE(r.Close().ok());
  EXPECT_EQ(ReadFile(path).value(),
            R"({"name":"nx.example.com","type":"A","kind":"nxdomain","ttl":60})" "\n"
            R"({"name":"mail.example.com","type":"A","kind":"data","ttl":300,"rdata":["192.0.2.1"]})" "\n"
            R"({"name":"example.com","type":"MX","kind":"data","ttl":300,"rdata":["10 Mail.example.com"]})" "\n"
            R"({"name":"example.com","type":"TXT","kind":"data","ttl":300,"rdata":[["a","b"],"\\195\\164","v=spf1 -all"]})" "\n"
            R"({"name":"example.com","type":"type257","kind":"data","ttl":300,"rdata":["\\# 7 00056973737565"]})" "\n");
  unlink(path.c_str());
}

TEST(RecordingTest, WithoutCloseThereIsNoFile) {
  const std::string path = Path("none");
  { RecordingResolver r(std::make_unique<MemoryResolver>(), path); AskOne(&r, {Wire("a"), kTypeA}); }
  EXPECT_EQ(ReadFile(path).status().code(), StatusCode::kNotFound);
}

TEST(ReplayTest, WhatIsNotRecordedFails) {
  auto r = MakeReplayResolverFromText("", "empty");
  ASSERT_TRUE(r.ok());
  const Answer a = AskOne(r->get(), {Wire("a"), kTypeA});
  EXPECT_EQ(a.kind, Answer::kFailed);
  EXPECT_EQ(a.reason, "not in the recording");
}

TEST(ReplayTest, MistakesAreNamedWithTheirLine) {
  const std::string good = R"({"name":"a","type":"A","kind":"nodata"})" "\n";
  const std::pair<std::string, std::string> cases[] = {
      {"nonsense", "rec:2: not a JSON object"},
      {"{\"name\":\"\xff\"}", "rec:2: not a JSON object"},
      {R"({"name":"b"})", "rec:2: \"name\" or \"type\" is missing"},
      {R"({"name":"b","type":"B","kind":"nodata"})", "rec:2: \"type\" is no record type"},
      {R"({"name":"b","type":"A"})", "rec:2: \"kind\" must be"},
      {R"({"name":"b","type":"A","kind":"data","rdata":["1.2.3.4","x"]})", "rec:2: \"rdata\" item 2 is no A record"},
      {R"({"name":"A","type":"A","kind":"nodata"})", "rec:2: the same question"},
  };
  for (const auto& [line, message] : cases) {
    const Status status = MakeReplayResolverFromText(good + line, "rec").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << line;
    EXPECT_THAT(std::string(Message(status)), testing::StartsWith(message)) << line;
  }
  EXPECT_EQ(MakeReplayResolver("/does/not/exist").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace mz::resolve
