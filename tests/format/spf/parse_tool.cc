// Reads SPF records, one JSON string per line, and prints one line for each: "ok", or "COLUMN MESSAGE". Driven by
// pyspf_syntax.py, which compares with another implementation.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "format/spf/record.h"

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto text = nlohmann::json::parse(line, nullptr, false);
    if (!text.is_string()) {
      std::fprintf(stderr, "not a JSON string: %s\n", line.c_str());
      return 2;
    }
    const auto& record_text = text.get_ref<const std::string&>();
    mz::spf::Record record;
    mz::spf::SyntaxError error;
    if (!mz::spf::IsSpfRecord(record_text))
      std::cout << "none\n";
    else if (mz::spf::ParseRecord(record_text, &record, &error))
      std::cout << "ok\n";
    else
      std::cout << error.column << ' ' << error.message << '\n';
  }
  return 0;
}
