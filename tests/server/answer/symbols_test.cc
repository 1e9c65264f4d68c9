// What the answer library needs from elsewhere is a short list: no allocator, no thread, no clock, no file
// can slip in.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string Run(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer;
  while (size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  pclose(pipe);
  return out;
}

// Undefined symbols of all members that no member defines.
std::set<std::string> Needs(const std::string& library) {
  std::set<std::string> undefined, defined;
  std::istringstream lines(Run(std::string(MZ_NM) + " -C '" + library + "'"));
  for (std::string line; std::getline(lines, line);) {
    const size_t u = line.find(" U ");
    if (u != std::string::npos)
      undefined.insert(line.substr(u + 3));
    else if (line.size() > 19 && line[16] == ' ')
      defined.insert(line.substr(19));
  }
  for (const std::string& symbol : defined) undefined.erase(symbol);
  return undefined;
}

bool Allowed(const std::string& symbol) {
  // Pure functions of libc, the stack protector, and three formatters of format/ that write into a caller's
  // buffer.
  static const std::set<std::string> kAllowed = {"memcpy",
                                                 "memmove",
                                                 "memcmp",
                                                 "memset",
                                                 "bcmp",
                                                 "strlen",
                                                 "memchr",
                                                 "__memcpy_chk",
                                                 "__memset_chk",
                                                 "__memmove_chk",
                                                 "__stack_chk_fail",
                                                 "_GLOBAL_OFFSET_TABLE_",
                                                 "mz::net::FormatIp4(unsigned int, char*)",
                                                 "mz::net::FormatIp6(mz::net::Ip6 const&, char*)",
                                                 "mz::dns::FormatName(std::span<unsigned char const, "
                                                 "18446744073709551615ul>, char*, unsigned long)",
                                                 // IDs of healthcheck zones: pure functions over octets, whose own
                                                 // needs (libcrypto) are those of id.cc.
                                                 "mz::healthcheck::ReadIdText(std::basic_string_view<char, "
                                                 "std::char_traits<char> >, std::array<unsigned char, 16ul>*)",
                                                 "mz::healthcheck::UnpackId(std::span<unsigned char const, 10ul>, "
                                                 "mz::healthcheck::Id*)",
                                                 "mz::healthcheck::MacMatches(std::array<unsigned char, 16ul> const&, "
                                                 "mz::healthcheck::MacKey const&)",
                                                 "mz::healthcheck::OpenId(std::array<unsigned char, 16ul> const&, "
                                                 "mz::healthcheck::IdKeys const&, mz::healthcheck::Id*)",
                                                 "mz::healthcheck::CheckAge(mz::healthcheck::Id const&, unsigned long, "
                                                 "unsigned int)"};
  return kAllowed.contains(symbol);
}

TEST(SymbolsTest, TheListIsRead) {
  const std::set<std::string> needs = Needs(MZ_ANSWER_LIBRARY);
  EXPECT_TRUE(needs.contains("memcpy") || needs.contains("__memcpy_chk") || needs.contains("memcmp"));
  EXPECT_FALSE(Allowed("malloc"));
  EXPECT_FALSE(Allowed("operator new(unsigned long)"));
}

TEST(SymbolsTest, OnlyHarmlessFunctionsAreNeeded) {
  for (const std::string& symbol : Needs(MZ_ANSWER_LIBRARY)) EXPECT_TRUE(Allowed(symbol)) << symbol;
}

}  // namespace
