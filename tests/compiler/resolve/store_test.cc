// Every row of the failure policy that concerns single questions, with a clock made by hand.
#include "compiler/resolve/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/file.h"
#include "format/dns/message.h"
#include "format/dns/name.h"

namespace mz::resolve {
namespace {

using dns::kTypeTxt;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kStart = 1'700'000'000;
constexpr int64_t kHour = 3600, kDay = 86400;

Question Q(std::string_view name, uint16_t type = kTypeTxt) { return {dns::ParseName(name).value(), type}; }
Answer Data(std::vector<std::string> rdata, uint32_t ttl = 300) {
  Answer a;
  a.kind = Answer::kData;
  a.ttl = ttl;
  a.rdata = std::move(rdata);
  std::sort(a.rdata.begin(), a.rdata.end());
  return a;
}
Answer None(Answer::Kind kind, uint32_t ttl = 60) {
  Answer a;
  a.kind = kind;
  a.ttl = ttl;
  return a;
}
Answer Failed(std::string reason = "timeout") {
  Answer a;
  a.kind = Answer::kFailed;
  a.reason = std::move(reason);
  return a;
}

class StoreTest : public testing::Test {
 protected:
  // Asks what is due at `now` and answers it. Returns whether it was due and what changed.
  Store::Change Answered(Answer answer) {
    const Question* due = store.NextDue(now);
    EXPECT_NE(due, nullptr) << "nothing is due";
    if (due == nullptr) return {};
    return store.Update(Question(*due), std::move(answer), now);
  }
  // Goes to the moment at which the next question is due.
  void Forward() { now = store.NextDueTime(); }
  std::vector<std::string> Events() {
    std::vector<std::string> out;
    for (const StoreEvent& e : store.TakeEvents()) out.push_back(std::string("IWE").substr(e.level, 1) + " " + e.text);
    return out;
  }
  const StoredNode& Node() { return *store.Find(q); }
  void GoodData() {
    store.Want(q);
    EXPECT_TRUE(Answered(Data({"old"})).changed);
    Forward();
  }

  int64_t now = kStart;
  Question q = Q("a.example");
  Store store{StorePolicy{}, [](const Question& question, const Answer& before, const Answer& after) {
                if (after.kind == Answer::kData && after.rdata.size() * 2 < before.rdata.size())
                  return Judgement{Verdict::kHold, "shrank"};
                return JudgeDisappearance(question, before, after);
              }};
};

TEST_F(StoreTest, NewQuestionsAreDueAtOnceInTheOrderWanted) {
  const StoredNode* first = store.Want(Q("z.example"));
  store.Want(Q("a.example"));
  EXPECT_EQ(store.Want(Q("z.example")), first);
  EXPECT_FALSE(first->asked);
  EXPECT_EQ(first->usable.kind, Answer::kFailed);
  EXPECT_LE(store.NextDueTime(), now);
  const Question* a = store.NextDue(now);
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(*a, Q("z.example"));
  EXPECT_EQ(*store.NextDue(now), Q("a.example"));
  EXPECT_EQ(store.NextDue(now), nullptr) << "both are being asked";
  EXPECT_EQ(store.NextDueTime(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(store.size(), 2u);
  EXPECT_EQ(store.Find(Q("b.example")), nullptr);
}

TEST_F(StoreTest, RefreshesByTheLargestTtlSeenWithinBoundsAndJitter) {
  store.Want(q);
  Answered(Data({"x"}, 1000));
  EXPECT_GE(store.NextDueTime() - now, 900);
  EXPECT_LE(store.NextDueTime() - now, 1000);
  Forward();
  EXPECT_FALSE(Answered(Data({"x"}, 200)).changed);  // a resolver's cache counts down
  EXPECT_EQ(Node().top_ttl, 1000u);
  EXPECT_GE(store.NextDueTime() - now, 900);
  Forward();
  EXPECT_TRUE(Answered(Data({"y"}, 5)).changed);     // other data, other TTL; not below min_refresh
  EXPECT_EQ(Node().top_ttl, 5u);
  EXPECT_GE(store.NextDueTime() - now, 54);
  EXPECT_LE(store.NextDueTime() - now, 60);
  Forward();
  Answered(Data({"z"}, 999999));
  EXPECT_GE(store.NextDueTime() - now, 3240);
  EXPECT_LE(store.NextDueTime() - now, 3600);
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(StoreTest, JitterSpreadsAndIsRepeatable) {
  auto dues = [](uint64_t seed) {
    Store s(StorePolicy{.jitter_seed = seed});
    std::vector<int64_t> out;
    for (int i = 0; i < 200; i++) {
      const Question question = Q("n" + std::to_string(i));
      s.Want(question);
      s.Update(question, Data({"x"}, 1000), kStart);
      out.push_back(s.Find(question)->next_due);
    }
    return out;
  };
  EXPECT_EQ(dues(1), dues(1));
  EXPECT_NE(dues(1), dues(2));
  const auto d = dues(1);
  EXPECT_GT(std::set<int64_t>(d.begin(), d.end()).size(), 50u);
}

TEST_F(StoreTest, FailureKeepsLastKnownGoodAndBacksOff) {
  GoodData();
  const int64_t expected[] = {30, 60, 120, 240, 480, 900, 900};
  for (const int64_t pause : expected) {
    EXPECT_FALSE(Answered(Failed("SERVFAIL")).changed);
    EXPECT_EQ(Node().usable.rdata, std::vector<std::string>{"old"});
    EXPECT_EQ(store.NextDueTime() - now, pause);
    Forward();
  }
  EXPECT_EQ(Node().failures, 7u);
  EXPECT_EQ(Node().last_error, "SERVFAIL");
  EXPECT_THAT(Events(), ElementsAre(HasSubstr("W 3 failures in a row")));
  EXPECT_FALSE(Answered(Data({"old"})).changed);
  EXPECT_EQ(Node().failures, 0u);
  EXPECT_THAT(Events(), ElementsAre("I answers again"));
}

TEST_F(StoreTest, FewFailuresAreNoNews) {
  GoodData();
  Answered(Failed());
  Forward();
  Answered(Failed());
  Forward();
  Answered(Data({"old"}));
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(StoreTest, WarnsAfterFifteenMinutesToo) {
  store = Store(StorePolicy{.retry_first = 800});
  GoodData();
  Answered(Failed());
  now += 899;
  Answered(Failed());
  EXPECT_THAT(Events(), IsEmpty());
  now += 901;
  Answered(Failed());
  EXPECT_EQ(Events().size(), 1u);
}

TEST_F(StoreTest, BogusIsAFailure) {
  GoodData();
  Answer bogus = None(Answer::kBogus);
  bogus.reason = "bogus: no signature";
  bogus.rdata = {"evil"};
  EXPECT_FALSE(Answered(bogus).changed);
  EXPECT_EQ(Node().usable.rdata, std::vector<std::string>{"old"});
}

TEST_F(StoreTest, StaleDataIsDroppedAfterMaxStaleWithTwoErrors) {
  GoodData();
  const int64_t good_at = Node().good_at;
  std::vector<std::string> events;
  bool changed = false;
  while (now < good_at + 8 * kDay && !changed) {
    const int64_t age = now - good_at;
    Store::Change c = Answered(Failed("SERVFAIL"));
    changed = c.changed;
    EXPECT_EQ(changed, age >= 7 * kDay) << age;
    for (auto& e : Events()) events.push_back(e);
    if (changed) {
      EXPECT_EQ(c.before.rdata, std::vector<std::string>{"old"});
    }
    Forward();
  }
  ASSERT_TRUE(changed);
  EXPECT_EQ(Node().usable.kind, Answer::kFailed);
  EXPECT_THAT(Node().usable.reason, HasSubstr("SERVFAIL"));
  EXPECT_THAT(events, ElementsAre(HasSubstr("W "), HasSubstr("E no good answer for 3 d, half"), HasSubstr("E no good answer for 7 d")));
  EXPECT_FALSE(Answered(Failed()).changed);
  Forward();
  EXPECT_THAT(Events(), IsEmpty());
  // What comes then is believed at once, even a disappearance.
  EXPECT_TRUE(Answered(None(Answer::kNxDomain)).changed);
  EXPECT_EQ(Node().usable.kind, Answer::kNxDomain);
}

TEST_F(StoreTest, NeverAnsweredIsAFailureAndAnError) {
  store.Want(q);
  EXPECT_TRUE(Answered(Failed("timeout")).changed) << "who waited for the first answer must hear of it";
  EXPECT_TRUE(Node().asked);
  EXPECT_EQ(Node().usable.kind, Answer::kFailed);
  EXPECT_EQ(Node().usable.reason, "timeout");
  EXPECT_THAT(Events(), ElementsAre("E never had an answer: timeout"));
  for (int i = 0; i < 5; i++) {
    Forward();
    EXPECT_FALSE(Answered(Failed("SERVFAIL")).changed);
  }
  EXPECT_THAT(Events(), IsEmpty());
  Forward();
  EXPECT_TRUE(Answered(Data({"x"})).changed);
  EXPECT_THAT(Events(), ElementsAre("I answers again"));
}

TEST_F(StoreTest, FirstDenialsAreBelieved) {
  store.Want(q);
  EXPECT_TRUE(Answered(None(Answer::kNxDomain)).changed);
  EXPECT_EQ(Node().usable.kind, Answer::kNxDomain);
  Forward();
  EXPECT_TRUE(Answered(None(Answer::kNoData)).changed);
  Forward();
  EXPECT_TRUE(Answered(Data({"x"})).changed);
}

TEST_F(StoreTest, DisappearanceIsBelievedAfterThreeAnswersOverAnHour) {
  GoodData();
  const int64_t first = now;
  int answers = 0;
  bool changed = false;
  while (!changed) {
    changed = Answered(None(Answer::kNxDomain)).changed;
    answers++;
    if (!changed) {
      EXPECT_EQ(Node().usable.rdata, std::vector<std::string>{"old"});
      ASSERT_NE(Node().held, nullptr);
      EXPECT_EQ(Node().held->kind, Answer::kNxDomain);
      EXPECT_EQ(store.NextDueTime() - now, 300);
      Forward();
    }
    ASSERT_LT(answers, 100);
  }
  EXPECT_EQ(now - first, kHour);
  EXPECT_EQ(answers, 13);
  EXPECT_EQ(Node().usable.kind, Answer::kNxDomain);
  EXPECT_EQ(Node().held, nullptr);
  EXPECT_THAT(Events(), ElementsAre(HasSubstr("E NXDOMAIN where data was"), HasSubstr("E believed after 13 answers")));
}

TEST_F(StoreTest, AnHourAloneIsNotEnough) {
  store = Store(StorePolicy{.confirm_retry = 7200});
  GoodData();
  EXPECT_FALSE(Answered(None(Answer::kNoData)).changed);
  Forward();
  EXPECT_FALSE(Answered(None(Answer::kNoData)).changed);
  Forward();
  EXPECT_TRUE(Answered(None(Answer::kNoData)).changed);
}

TEST_F(StoreTest, DataThatComesBackEndsTheConfirmation) {
  GoodData();
  Answered(None(Answer::kNxDomain));
  Forward();
  Answered(None(Answer::kNxDomain));
  Forward();
  EXPECT_FALSE(Answered(Data({"old"})).changed);
  EXPECT_EQ(Node().held, nullptr);
  EXPECT_EQ(Node().good_at, now);
  EXPECT_THAT(Events(), ElementsAre(HasSubstr("E "), HasSubstr("I the data is as before again")));
  now += kHour;
  EXPECT_FALSE(Answered(None(Answer::kNxDomain)).changed) << "counting starts again";
  EXPECT_EQ(Node().held_count, 1u);
}

TEST_F(StoreTest, AnotherSurpriseStartsTheConfirmationAgain) {
  GoodData();
  Answered(None(Answer::kNxDomain));
  now += 2 * kHour;
  Answered(None(Answer::kNoData));
  EXPECT_EQ(Node().held_count, 1u);
  EXPECT_EQ(Node().held_since, now);
  EXPECT_THAT(Events(), ElementsAre(HasSubstr("NXDOMAIN"), HasSubstr("NODATA")));
}

TEST_F(StoreTest, FailuresInBetweenDoNotConfirm) {
  GoodData();
  Answered(None(Answer::kNxDomain));
  for (int i = 0; i < 20; i++) {
    Forward();
    EXPECT_FALSE(Answered(Failed()).changed);
  }
  EXPECT_EQ(Node().held_count, 1u);
}

TEST_F(StoreTest, NewDataIsAcceptedAtOnceAlsoWhileSomethingIsHeld) {
  GoodData();
  Answered(None(Answer::kNxDomain));
  Forward();
  Store::Change c = Answered(Data({"new"}));
  EXPECT_TRUE(c.changed);
  EXPECT_EQ(c.before.rdata, std::vector<std::string>{"old"});
  EXPECT_EQ(Node().held, nullptr);
}

TEST_F(StoreTest, ShrinkIsHeldForADay) {
  store.Want(q);
  Answered(Data({"1", "2", "3", "4", "5"}));
  Forward();
  const int64_t first = now;
  int asked = 0;
  while (!Answered(Data({asked % 2 ? "1" : "2"})).changed) {   // goes on changing meanwhile
    EXPECT_EQ(Node().usable.rdata.size(), 5u);
    EXPECT_EQ(Node().held_verdict, Verdict::kHold);
    asked++;
    Forward();
    ASSERT_LT(asked, 1000);
  }
  EXPECT_EQ(now - first, kDay);
  EXPECT_EQ(Node().usable.rdata.size(), 1u);
  EXPECT_THAT(Events(), ElementsAre(HasSubstr("W shrank"), HasSubstr("W believed")));
}

TEST_F(StoreTest, TheOperatorMayAcknowledge) {
  store.Want(q);
  Answered(Data({"1", "2", "3", "4", "5"}));
  EXPECT_FALSE(store.Acknowledge(q, now));
  EXPECT_FALSE(store.Acknowledge(Q("other"), now));
  Forward();
  Answered(Data({"1"}));
  EXPECT_TRUE(store.Acknowledge(q, now));
  EXPECT_EQ(Node().usable.rdata, std::vector<std::string>{"1"});
  EXPECT_EQ(Node().held, nullptr);
  EXPECT_FALSE(store.Acknowledge(q, now));
  Forward();
  EXPECT_FALSE(Answered(Data({"1"})).changed);
}

TEST_F(StoreTest, AHeldAnswerIsBelievedWhenTheOldOneIsTooOld) {
  store = Store(StorePolicy{.max_stale = 1000, .confirm_seconds = 100000, .confirm_retry = 400});
  GoodData();
  bool changed = false;
  while (!changed) {
    changed = Answered(None(Answer::kNxDomain)).changed;
    EXPECT_EQ(changed, now - kStart >= 1000) << now - kStart;
    if (!changed) Forward();
  }
}

TEST_F(StoreTest, SweepDropsWhatIsNotWantedAnyMore) {
  for (int i = 0; i < 100; i++) store.Want(Q("n" + std::to_string(i)));
  store.Sweep();
  EXPECT_EQ(store.size(), 100u);
  for (int i = 0; i < 100; i += 2) store.Want(Q("n" + std::to_string(i)));
  const Question asked(*store.NextDue(now));
  const Question asked_and_dropped(*store.NextDue(now));
  EXPECT_EQ(asked, Q("n0"));
  EXPECT_EQ(asked_and_dropped, Q("n1"));
  store.Sweep();
  EXPECT_EQ(store.size(), 50u);
  EXPECT_FALSE(store.Update(asked_and_dropped, Data({"x"}), now).changed);
  EXPECT_EQ(store.size(), 50u);
  EXPECT_TRUE(store.Update(asked, Data({"x"}), now).changed);
  int due = 0;
  while (store.NextDue(now) != nullptr) due++;
  EXPECT_EQ(due, 49);
}

TEST_F(StoreTest, UpdatesNobodyAskedForDoNotFillTheHeap) {
  store.Want(q);
  for (int i = 0; i < 10000; i++) store.Update(q, Data({std::to_string(i)}), now + i);
  now += 10000 + kHour;
  EXPECT_NE(store.NextDue(now), nullptr);
  EXPECT_EQ(store.NextDue(now), nullptr);
}

// A store in every state there is.
void Fill(Store* store) {
  int64_t t = kStart;
  auto update = [&](const Question& question, Answer a) {
    store->Want(question);
    store->Update(question, std::move(a), t);
  };
  const std::string odd("\x06" "a.b\0\xff\"\x01" "c", 9);
  update({odd, kTypeTxt}, Data({std::string("\x03\0\\\xfe", 4), std::string("\x01x\x01y")}));
  update(Q("a", dns::kTypeA), Data({std::string("\xc0\0\2\1", 4)}));
  update(Q("aaaa", dns::kTypeAaaa), Data({std::string("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16)}));
  update(Q("mx", dns::kTypeMx), Data({std::string("\0\x0a\1M\0", 5), std::string("\0\0\0", 3)}));
  update(Q("bad.mx", dns::kTypeMx), Data({std::string("\0\x0a\7M\0", 5), "", std::string("\0\1\0x", 4)}));
  update(Q("odd", 4711), Data({"raw \xff"}));
  update(Q("nodata"), None(Answer::kNoData));
  update(Q("failed"), Failed("why \"not\"\n"));
  update(Q("fails"), Data({"\1x"}));
  update(Q("held"), Data({"\1x"}));
  Answer secure = Data({"\1x"});
  secure.secure = true;
  update(Q("secure"), secure);
  t += 500;
  for (int i = 0; i < 4; i++) update(Q("fails"), Failed("SERVFAIL"));
  update(Q("held"), None(Answer::kNxDomain));
  store->Want(Q("never.asked"));
}

TEST_F(StoreTest, StateSurvivesARestart) {
  Fill(&store);
  store.TakeEvents();
  const std::string path = testing::TempDir() + "/mz_store_" + std::to_string(getpid());
  ASSERT_TRUE(store.Save(path).ok());
  Store again(StorePolicy{});
  const Status loaded = again.Load(path, now + 600);
  ASSERT_TRUE(loaded.ok()) << loaded;
  EXPECT_EQ(again.SaveText(), store.SaveText());
  EXPECT_EQ(again.size(), store.size() - 1);
  int compared = 0;
  again.ForEach([&](const StoredNode& n) {
    const StoredNode* before = store.Find(n.question);
    ASSERT_NE(before, nullptr);
    EXPECT_TRUE(n.usable.SameData(before->usable));
    EXPECT_EQ(n.next_due, before->next_due);
    EXPECT_EQ(n.failures, before->failures);
    EXPECT_EQ(n.held_since, before->held_since);
    compared++;
  });
  EXPECT_EQ(compared, 11);
  // Only what is wanted is asked; a confirmation goes on where it was; an alarm is not raised twice.
  EXPECT_EQ(again.NextDueTime(), std::numeric_limits<int64_t>::max());
  again.Want(Q("held"));
  EXPECT_EQ(again.NextDueTime(), kStart + 500 + 300);
  EXPECT_TRUE(again.Find(Q("held"))->asked);
  EXPECT_FALSE(again.Update(Q("fails"), Failed(), kStart + 1000).changed);
  EXPECT_THAT(again.TakeEvents(), IsEmpty());
  unlink(path.c_str());
}

TEST_F(StoreTest, StateIsReadable) {
  store.Want(Q("_spf.example"));
  store.Update(Q("_spf.example"), Data({std::string("\x0bv=spf1 -all")}), kStart);
  const std::string text = store.SaveText();
  EXPECT_THAT(text, testing::StartsWith(
      "{\"name\":\"_spf.example\",\"type\":\"TXT\",\"kind\":\"data\",\"ttl\":300,\"rdata\":[\"v=spf1 -all\"],"
      "\"good_at\":1700000000,\"first_good_at\":1700000000,\"next_due\":"));
}

TEST_F(StoreTest, LoadReplacesNothingAndKeepsNothingOfABrokenFile) {
  store.Want(Q("a"));
  store.Update(Q("a"), Data({"\1n"}), now);
  const std::string good = R"({"name":"a","type":"TXT","kind":"data","rdata":["o"]})" "\n\n"
                           R"({"name":"b","type":"TXT","kind":"data","rdata":["o"],"next_due":99999999999})" "\n";
  const Status broken = store.LoadText(good + "{\"name\":\"c\"}\n", "state.json", now);
  EXPECT_EQ(broken.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Message(broken)), testing::StartsWith("state.json:4: "));
  EXPECT_EQ(store.size(), 1u);
  ASSERT_TRUE(store.LoadText(good, "state.json", now).ok());
  EXPECT_EQ(store.Find(Q("a"))->usable.rdata[0], "\1n");
  EXPECT_LE(store.Find(Q("b"))->next_due, now + kHour) << "a clock that was ahead does not stop refreshing";
  EXPECT_EQ(store.Load("/does/not/exist", now).code(), StatusCode::kNotFound);
}

TEST_F(StoreTest, RefusesBrokenStates) {
  const std::string head = R"({"name":"a","type":"TXT",)";
  for (const std::string& line : {
           std::string("{"), std::string("[]"), std::string("null"), head + "\"kind\":\"good\"}", head + "\"kind\":5}",
           head + R"("kind":"data"})", head + R"("kind":"nodata","rdata":["x"]})", head + R"("kind":"data","rdata":[5]})",
           head + R"("kind":"data","rdata":["\\9"]})", head + R"("kind":"data","rdata":["\\# 2 ab"]})",
           head + R"("kind":"nodata","ttl":-1})", head + R"("kind":"nodata","ttl":4294967296})",
           head + R"("kind":"nodata","ttl":1.5})", head + R"("kind":"nodata","good_at":18446744073709551615})",
           head + R"("kind":"nodata","secure":1})", head + R"("kind":"nodata","held":{}})",
           head + R"("kind":"nodata","held":{"kind":"failed","verdict":"hold"}})",
           head + R"("kind":"nodata","held":{"kind":"nodata","verdict":"maybe"}})",
           std::string(R"({"name":"a","type":"XYZ","kind":"nodata"})"),
           std::string(R"({"name":"a","type":"type65536","kind":"nodata"})"),
           std::string(R"({"name":"\\999","type":"A","kind":"nodata"})"),
           std::string(R"({"name":"a","type":"A","kind":"data","rdata":["1.2.3"]})"),
           std::string(R"({"name":"a","type":"AAAA","kind":"data","rdata":["1.2.3.4"]})"),
           std::string(R"({"name":"a","type":"MX","kind":"data","rdata":["70000 a"]})"),
           head + "\"kind\":\"nodata\"}\n" + head + "\"kind\":\"nodata\"}"}) {
    const Status status = store.LoadText(line, "f", now);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << line;
    EXPECT_THAT(std::string(Message(status)), testing::StartsWith("f:")) << line;
    EXPECT_EQ(store.size(), 0u);
  }
}

}  // namespace
}  // namespace mz::resolve
