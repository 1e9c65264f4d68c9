// The packet writer: limits, duplicates, TTLs, OPT, TXT strings. What it writes is read back with the message
// reader.
#include "format/dns/response_writer.h"

#include <gtest/gtest.h>

#include "format/dns/message_reader.h"
#include "format/dns/query_builder.h"
#include "format/dns/txt.h"

namespace mz::dns {
namespace {

class ResponseWriterTest : public ::testing::Test {
 protected:
  std::span<const uint8_t> Request() const {
    return {reinterpret_cast<const uint8_t*>(request_.data()), request_.size()};
  }
  std::string request_ = BuildQuery("\1a\2bc", kTypeTxt, kClassIn, {.id = 7, .flags = kFlagRd});
};

TEST_F(ResponseWriterTest, NothingIsWrittenBehindTheLimit) {
  const uint8_t rdata[] = {1, 2, 3, 4};
  for (size_t limit = 0; limit < 200; limit++)
    for (size_t tail : {0, 11, 40}) {
      std::vector<uint8_t> buffer(256, 0xee);
      ResponseWriter w(buffer, limit, tail);
      if (!w.Begin(Request(), request_.size())) {
        EXPECT_LT(limit, request_.size());
      } else {
        for (uint8_t i = 0; i < 6; i++) {
          const uint8_t other[] = {i, 2, 3, 4};
          w.AddAnswer(kTypeA, 60, other);
        }
        w.Append(kAuthority, rdata, 0);
        if (tail != 0) {
          EXPECT_EQ(w.AddOpt({.udp_bytes = 512}, 0), limit - request_.size() >= 11);
        }
        EXPECT_LE(w.Finish(kFlagQr, 0), limit);
        EXPECT_EQ(w.overflowed(), limit < request_.size() + 6 * 16 + tail);
      }
      for (size_t i = limit; i < buffer.size(); i++) ASSERT_EQ(buffer[i], 0xee) << limit;
    }
}

TEST_F(ResponseWriterTest, CutGoesBackToTheQuestion) {
  std::vector<uint8_t> buffer(512);
  ResponseWriter w(buffer, 512, 11);
  ASSERT_TRUE(w.Begin(Request(), request_.size()));
  const uint8_t rdata[] = {1, 2, 3, 4};
  w.AddAnswer(kTypeA, 60, rdata);
  w.CutToQuestion();
  const size_t size = w.Finish(kFlagQr | kFlagTc, kNoError);
  EXPECT_EQ(size, request_.size());
  auto m = ReadMessage({buffer.data(), size});
  ASSERT_TRUE(m.ok());
  EXPECT_TRUE(m->answer.empty());
  EXPECT_EQ(m->question.size(), 1u);
}

TEST_F(ResponseWriterTest, ExtendedRcodeAndOptionsInOpt) {
  std::vector<uint8_t> buffer(512);
  ResponseWriter w(buffer, 512, 64);
  ASSERT_TRUE(w.Begin(Request(), request_.size()));
  const uint8_t nsid[] = {'i', 'd'};
  OptReply opt{.udp_bytes = 1232, .dnssec_ok = true, .nsid = nsid, .extended_error = kErrorNotReady};
  EXPECT_EQ(opt.bytes(), 11u + 6 + 6);
  ASSERT_TRUE(w.AddOpt(opt, 0x123));
  auto m = ReadMessage({buffer.data(), w.Finish(kFlagQr, 0x123)});
  ASSERT_TRUE(m.ok());
  EXPECT_EQ(m->rcode(), 0x123);
  EXPECT_EQ(m->edns->flags, kEdnsDnssecOk);
  EXPECT_EQ(m->edns->udp_bytes, 1232);
  EXPECT_EQ(m->edns->options[0], (std::pair<uint16_t, std::string>(kOptionNsid, "id")));
  EXPECT_EQ(m->edns->options[1],
            (std::pair<uint16_t, std::string>(kOptionExtendedError, std::string("\0\16", 2))));
}

TEST_F(ResponseWriterTest, DuplicatesAndTtls) {  // RFC 2181 sections 5 and 5.2
  std::vector<uint8_t> buffer(4096);
  ResponseWriter w(buffer, 4096, 0);
  ASSERT_TRUE(w.Begin(Request(), request_.size()));
  const uint8_t one[] = {1, 1, 1, 1}, two[] = {2, 1, 1, 1};
  w.AddAnswer(kTypeA, 60, one);
  w.AddAnswer(kTypeTxt, 10, one);  // another type is another RRset
  w.AddAnswer(kTypeA, 90, two);
  w.AddAnswer(kTypeA, 30, one);
  w.AddAnswer(kTypeA, 99, two);
  auto m = ReadMessage({buffer.data(), w.Finish(kFlagQr, 0)});
  ASSERT_TRUE(m.ok());
  ASSERT_EQ(m->answer.size(), 3u);
  EXPECT_EQ(m->answer[0].ttl, 30u);
  EXPECT_EQ(m->answer[1].ttl, 10u);
  EXPECT_EQ(m->answer[2].ttl, 30u);
}

TEST(TxtTest, SplitsAtEvery255Octets) {  // RFC 1035 section 3.3.14
  for (size_t total = 1; total < 1100; total++)
    for (size_t step : {1, 7, 255, 256, 5000}) {
      std::string text;
      for (size_t i = 0; i < total + 3; i++) text += static_cast<char>('a' + i % 26);
      std::vector<uint8_t> out(TxtRdataBytes(total));
      TxtWriter w(out.data(), total);
      for (size_t i = 0; i < text.size(); i += step) w.Put(text.data() + i, std::min(step, text.size() - i));
      std::string back;
      for (size_t i = 0; i < out.size(); i += 1u + out[i]) {
        ASSERT_LE(i + 1 + out[i], out.size());
        back.append(reinterpret_cast<const char*>(&out[i + 1]), out[i]);
      }
      ASSERT_EQ(back, text.substr(0, total));  // what was not announced is dropped
    }
}

}  // namespace
}  // namespace mz::dns
