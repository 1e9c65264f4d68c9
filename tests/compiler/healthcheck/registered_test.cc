// Registered IDs from text and from SQLite.
#include "compiler/healthcheck/registered.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "format/healthcheck/outcome.h"

namespace mz::compiler {
namespace {

using namespace healthcheck;  // NOLINT: the names of the catalogue

class Findings : public dataset::DiagnosticSink {
 public:
  void Report(dataset::Diagnostic d) override { all.push_back(std::move(d)); }
  std::vector<dataset::Diagnostic> all;
};

constexpr char kOne[] = "00112233445566778899aabbccddeeff", kTwo[] = "ff112233445566778899AABBCCDDEEFF";

TEST(RegisteredTest, TextIsReadAndSorted) {
  Findings findings;
  const auto ids = ParseRegistered("ids.txt",
                                   std::string("# head\n\n") + kTwo + " spf=softfail  dkim=pass\t# end\r\n  " + kOne + "\n" +
                                       kOne + " spf=none",
                                   &findings);
  ASSERT_TRUE(ids.ok()) << Message(ids.status());
  ASSERT_EQ(ids->size(), 2u);
  EXPECT_EQ(IdText((*ids)[0].id), kOne);
  EXPECT_EQ((*ids)[0].settings, Settings{});
  EXPECT_EQ((*ids)[1].settings[kSpf], kSpfSoftfail);
  EXPECT_EQ((*ids)[1].settings[kDkim], kDkimPass);
}

TEST(RegisteredTest, FindingsHavePlaces) {
  Findings findings;
  const auto ids = ParseRegistered(
      "ids.txt", std::string("0011 spf=pass\n") + kOne + " spf=pass dmarc=rejct\n" + kTwo + "\n", &findings);
  EXPECT_EQ(ids.status().code(), StatusCode::kInvalidArgument);
  ASSERT_EQ(findings.all.size(), 2u);
  EXPECT_EQ(findings.all[0].line, 1u);
  EXPECT_EQ(findings.all[0].column, 1u);
  EXPECT_EQ(findings.all[0].length, 4u);
  EXPECT_EQ(findings.all[1].line, 2u);
  EXPECT_EQ(findings.all[1].column, 43u);
  EXPECT_EQ(findings.all[1].length, 11u);
  EXPECT_NE(findings.all[1].message.find("'reject'"), std::string::npos);
}

TEST(RegisteredTest, TwoSettingsForOneIdAreRefused) {
  Findings findings;
  const auto ids = ParseRegistered("ids.txt", std::string(kOne) + " spf=pass\n" + kOne + " spf=fail\n", &findings);
  EXPECT_FALSE(ids.ok());
  ASSERT_EQ(findings.all.size(), 1u);
}

TEST(RegisteredTest, AMillionIds) {
  std::string text;
  text.reserve(60u << 20);
  for (uint32_t i = 0; i < 1000000; i++) {
    char line[80];
    std::snprintf(line, sizeof line, "%08x%08x%08x%08x spf=softfail dmarc=reject\n", i * 2654435761u, i, i ^ 0x5a5a5a5au, i);
    text += line;
  }
  Findings findings;
  const auto ids = ParseRegistered("ids.txt", text, &findings);
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(ids->size(), 1000000u);
}

class TableTest : public testing::Test {
 protected:
  TableTest() : path_(testing::TempDir() + "/messages-" + std::to_string(::getpid()) + ".db") {
    std::filesystem::remove(path_);
  }
  ~TableTest() override { std::filesystem::remove(path_); }

  void Fill(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(database);
  }
  StatusOr<std::vector<RegisteredId>> Read() { return ReadRegistered(path_, &findings_); }

  const std::string path_;
  Findings findings_;
};

TEST_F(TableTest, WordsOfTheOlderProgram) {
  Fill(std::string("CREATE TABLE messages (message_id TEXT, domain_hash TEXT, spf TEXT, dkim TEXT, dmarc TEXT, mx TEXT, "
                   "deleted_at TEXT);"
                   "INSERT INTO messages VALUES ('") +
       kTwo + "', 'x', 'hardfail', 'none', 'quarantine', 'pass', NULL), ('" + kOne +
       "', 'x', NULL, '', 'neutral', 'hardfail', NULL), ('zz', 'x', NULL, '', '', '', '2018-01-01');");
  const auto ids = Read();
  ASSERT_TRUE(ids.ok()) << Message(ids.status());
  ASSERT_EQ(ids->size(), 2u);
  EXPECT_EQ(SettingsText((*ids)[0].settings), "dmarc=p-none mx=invalid-host");
  EXPECT_EQ(SettingsText((*ids)[1].settings), "spf=fail dmarc=quarantine mx=pass");
}

TEST_F(TableTest, WrongTablesAreRefused) {
  Fill("CREATE TABLE mails (id TEXT)");
  EXPECT_NE(Message(Read().status()).find("no table 'messages'"), std::string::npos);
  Fill("CREATE TABLE messages (name TEXT)");
  EXPECT_NE(Message(Read().status()).find("no column 'id'"), std::string::npos);
  Fill("DROP TABLE messages; CREATE TABLE messages (id TEXT, spf TEXT); INSERT INTO messages VALUES ('12', 'pass')");
  EXPECT_NE(Message(Read().status()).find("'12' is not an ID"), std::string::npos);
  Fill(std::string("DELETE FROM messages; INSERT INTO messages VALUES ('") + kOne + "', 'wrong')");
  EXPECT_NE(Message(Read().status()).find("'wrong'"), std::string::npos);
}

TEST_F(TableTest, ADamagedFileIsRefused) {
  Fill("CREATE TABLE messages (id TEXT)");
  std::ofstream(path_, std::ios::in | std::ios::out).seekp(100).write("garbage garbage garbage", 23);
  EXPECT_FALSE(Read().ok());
  EXPECT_EQ(ReadRegistered(path_ + ".none", &findings_).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace mz::compiler
