// See registered.h: the table `messages` of an SQLite file. Nothing is written to it, and no journal is made beside it.
#include <sqlite3.h>

#include <map>
#include <memory>

#include "compiler/healthcheck/registered.h"
#include "format/healthcheck/outcome.h"

namespace mz::compiler {

namespace {

struct Closer {
  void operator()(sqlite3* p) const { sqlite3_close(p); }
  void operator()(sqlite3_stmt* p) const { sqlite3_finalize(p); }
};
using Database = std::unique_ptr<sqlite3, Closer>;
using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

std::string_view Text(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text == nullptr ? std::string_view() : std::string_view(text, static_cast<size_t>(sqlite3_column_bytes(row, column)));
}

class Table {
 public:
  Table(const std::string& path, sqlite3* database) : path_(path), database_(database) {}

  StatusOr<std::vector<RegisteredId>> Read() {
    std::map<std::string, bool, std::less<>> columns;
    {
      const Statement info = Prepare("PRAGMA table_info(messages)");
      if (info == nullptr) return Failed();
      while (sqlite3_step(info.get()) == SQLITE_ROW) columns[std::string(Text(info.get(), 1))] = true;
    }
    if (columns.empty()) return Invalid("no table 'messages'");
    const char* id = columns.contains("message_id") ? "message_id" : columns.contains("id") ? "id" : nullptr;
    if (id == nullptr) return Invalid("table 'messages' has no column 'id'");
    std::string query = std::string("SELECT ") + id;
    std::vector<healthcheck::Dimension> dimensions;
    for (int i = 0; i < healthcheck::kDimensionCount; i++) {
      const auto d = static_cast<healthcheck::Dimension>(i);
      const std::string word(healthcheck::DimensionWord(d));
      if (!columns.contains(word)) continue;
      dimensions.push_back(d);
      query += ", \"" + word + "\"";
    }
    query += " FROM messages";
    if (columns.contains("deleted_at")) query += " WHERE deleted_at IS NULL";
    const Statement rows = Prepare(query);
    if (rows == nullptr) return Failed();
    return ReadRows(rows.get(), dimensions);
  }

 private:
  StatusOr<std::vector<RegisteredId>> ReadRows(sqlite3_stmt* rows, const std::vector<healthcheck::Dimension>& dimensions) {
    std::vector<RegisteredId> out;
    int code;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
      RegisteredId id;
      const std::string_view text = Text(rows, 0);
      if (healthcheck::ReadIdText(text, &id.id) != healthcheck::IdError::kNone)
        return Invalid("'" + std::string(text.substr(0, 80)) + "' is not an ID of 32 hexadecimal digits");
      for (size_t i = 0; i < dimensions.size(); i++) {
        const std::string_view word = Text(rows, static_cast<int>(i + 1));
        std::string problem;
        if (!word.empty() &&
            !healthcheck::ApplySetting(std::string(healthcheck::DimensionWord(dimensions[i])) + "=" + std::string(word),
                                       &id.settings, &problem))
          return Invalid("ID " + healthcheck::IdText(id.id) + ": " + problem);
      }
      out.push_back(id);
    }
    if (code != SQLITE_DONE) return Failed();
    if (const RegisteredId* twice = SortRegistered(&out))
      return Invalid("the ID " + healthcheck::IdText(twice->id) + " stands there twice, with different settings");
    return out;
  }

  Statement Prepare(const std::string& query) {
    sqlite3_stmt* out = nullptr;
    if (sqlite3_prepare_v2(database_, query.c_str(), static_cast<int>(query.size()), &out, nullptr) != SQLITE_OK) return {};
    return Statement(out);
  }
  Status Invalid(const std::string& text) const { return MakeStatus(StatusCode::kInvalidArgument, path_ + ": " + text); }
  Status Failed() const {
    const int code = sqlite3_errcode(database_) & 0xff;
    const std::string text = path_ + ": SQLite: " + sqlite3_errmsg(database_);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) return MakeStatus(StatusCode::kUnavailable, text);
    return MakeStatus(StatusCode::kInvalidArgument, text);
  }

  const std::string& path_;
  sqlite3* database_;
};

}  // namespace

StatusOr<std::vector<RegisteredId>> ReadRegisteredTable(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const Database database(raw);
  if (code != SQLITE_OK)
    return MakeStatus(StatusCode::kInvalidArgument,
                      path + ": SQLite: " + (raw == nullptr ? "out of memory" : sqlite3_errmsg(raw)));
  // A file that somebody else made: no triggers, views or functions of its schema are run (sqlite.org/security.html).
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_busy_timeout(raw, 5000);
  return Table(path, raw).Read();
}

}  // namespace mz::compiler
