// Master files from images: the recorded dumps of rbldnsd, the wildcard rules of RFC 4592 against address
// lookups on random lists, and the real rbldnsd side by side where it is installed.
#include "format/image/dump_bind.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "compiler/dataset/compile.h"
#include "format/image/cursor.h"
#include "format/image/verify.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

class Silent : public dataset::DiagnosticSink {
  void Report(dataset::Diagnostic) override {}
};

// A directory with data files of a fixed time, removed at the end.
class DataFiles {
 public:
  DataFiles() {
    std::string pattern = std::filesystem::temp_directory_path() / "mz-dump-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~DataFiles() { std::filesystem::remove_all(directory_); }
  std::string Add(const std::string& name, const std::string& text) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary) << text;
    const timespec times[2] = {{1700000000, 0}, {1700000000, 0}};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
    return path;
  }

 private:
  std::filesystem::path directory_;
};

// Specs name whole paths. Returns the dump without its two comment lines.
std::string OurDump(const std::vector<std::string>& specs) {
  Silent sink;
  auto parsed = compiler::ParseZoneSpecs(specs);
  if (!parsed.ok()) return std::string(Message(parsed.status()));
  auto assembly = compiler::Assemble(*parsed, {}, nullptr, &sink);
  if (!assembly.ok()) return std::string(Message(assembly.status()));
  std::vector<uint8_t> image;
  compiler::WriteOptions options;
  options.created_unix = 0;
  auto built = compiler::WriteImage(assembly->model, options, &image);
  if (!built.ok()) return std::string(Message(built.status()));
  auto view = Verify(image, VerifyLevel::kEverything);
  if (!view.ok()) return std::string(Message(view.status()));
  std::string text;
  DumpBind(*view, {"now", "mailzone"}, [&](std::string_view lines) { text += lines; });
  for (int i = 0; i < 2; i++) text.erase(0, text.find('\n') + 1);
  return text;
}

TEST(DumpBindTest, BeginsWithTwoComments) {
  const std::vector<uint8_t> image = SampleImage("tiny");
  std::string text;
  DumpBind(*Verify(image, VerifyLevel::kEverything), {"Sat Nov 21 00:26:55 2026", "mailzone 0.1.0"},
           [&](std::string_view lines) { text += lines; });
  EXPECT_EQ(text,
            "; zone dump made Sat Nov 21 00:26:55 2026\n"
            "; mailzone 0.1.0\n"
            "$ORIGIN\tbl.test.\n"
            "@\t3600\tSOA\tns.bl.test.\tadm.ex.test.\t(1700000000 7200 600 604800 300)\n"
            "$TTL 2100\n"
            "1.2.0.192\tA\t127.0.0.2\n"
            "\tTXT\t\"listed: 192.0.2.1\"\n");
}

TEST(DumpBindTest, RecordedIp4Set) {
  DataFiles files;
  const std::string d =
      files.Add("d",
                "$SOA 1h ns.ex.test adm.ex.test 0 2h 10m 1w 5m\n$NS 2h ns1.out.test ns2.out.test\n"
                "127.0.0.0/8 a\n127.0.0.2 :3:b \"q\" $\n!127.0.0.3\n10.0.0.0/15 ten\n1.0.0.0/30\n");
  EXPECT_EQ(OurDump({"bl.test:ip4set:" + d}),
            "$ORIGIN\tbl.test.\n@\t3600\tSOA\tns.ex.test.\tadm.ex.test.\t(1700000000 7200 600 604800 300)\n"
            "\t7200\tNS\tns1.out.test.\n\t7200\tNS\tns2.out.test.\n$TTL 2100\n"
            "0.0.0.1\tA\t127.0.0.2\n1.0.0.1\tA\t127.0.0.2\n2.0.0.1\tA\t127.0.0.2\n3.0.0.1\tA\t127.0.0.2\n"
            "*.0.10\tA\t127.0.0.2\n\tTXT\t\"ten\"\n*.1.10\tA\t127.0.0.2\n\tTXT\t\"ten\"\n"
            "*.0.127\tA\t127.0.0.2\n\tTXT\t\"a\"\n*.0.0.127\tA\t127.0.0.2\n\tTXT\t\"a\"\n"
            "2.0.0.127\tA\t127.0.0.3\n\tTXT\t\"b \\\"q\\\" 127.0.0.2\"\n3.0.0.127\tCNAME\texcluded\n"
            "*.127\tA\t127.0.0.2\n\tTXT\t\"a\"\n");
}

TEST(DumpBindTest, RecordedValues) {
  DataFiles files;
  const std::string d =
      files.Add("d",
                "$TTL 60\n$1 v\n1.0.0.1 :2:a $1 $\n1.0.0.1 :3:\n10/8 n\n!10.1/16\n10.1.2.3 back\n"
                "10.2.3.0/24 in\n!10.2.3.4\n");
  EXPECT_EQ(
      OurDump({"x.test:ip4set:" + d}),
      "$ORIGIN\tx.test.\n$TTL 60\n1.0.0.1\tA\t127.0.0.2\n\tTXT\t\"a v 1.0.0.1\"\n1.0.0.1\tA\t127.0.0.3\n"
      "3.2.1.10\tA\t127.0.0.2\n\tTXT\t\"back\"\n*.1.10\tCNAME\texcluded\n*.2.10\tA\t127.0.0.2\n\tTXT\t\"n\"\n"
      "4.3.2.10\tCNAME\texcluded\n*.3.2.10\tA\t127.0.0.2\n\tTXT\t\"in\"\n*.10\tA\t127.0.0.2\n\tTXT\t\"n\"\n");
}

TEST(DumpBindTest, RecordedGenericWithAcl) {
  DataFiles files;
  const std::string g = files.Add("g", "$NS 1h a.t\n@ A 1.1.1.1\nA.B TXT x\nA.B A 2.2.2.2\n");
  const std::string a = files.Add("a", "1.1.1.1 :refuse\n");
  EXPECT_EQ(OurDump({"x.test:generic:" + g, "x.test:acl:" + a}),
            "$ORIGIN\tx.test.\n\t3600\tNS\ta.t.\n$TTL 2100\n@\t2100\tA\t1.1.1.1\na.b\t2100\tA\t2.2.2.2\n"
            "\t2100\tTXT\t\"x\"\n");
}

// rbldnsd's own dump loses two of these three.
TEST(DumpBindTest, KeepsNeighbouringIp6TrieEntries) {
  DataFiles files;
  const std::string z =
      files.Add("z6", "2fff:aaaa:0:a001::14 a\n2fff:aaaa:0:a001::15 b\n2fff:aaaa:0:a001::54 c\n");
  const std::string text = OurDump({"x.test:ip6trie:" + z});
  for (const char* line : {"4.1.0.0.0.", "5.1.0.0.0.", "4.5.0.0.0."})
    EXPECT_NE(text.find(line), std::string::npos) << text;
}

// What a server that follows RFC 4592 answers from a dump: the A and TXT data of a name, "" = not listed.
class MasterFile {
 public:
  explicit MasterFile(const std::string& text) {
    std::string owner;
    size_t at = 0;
    while (at < text.size()) {
      const size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      at = end + 1;
      if (line.empty() || line[0] == '$' || line[0] == '@' || line[0] == ';') continue;
      const size_t tab = line.find('\t');
      if (tab != 0) owner = line.substr(0, tab);
      data_[owner] += line.substr(tab) + "\n";
      for (size_t dot = owner.find('.'); dot != std::string::npos; dot = owner.find('.', dot + 1))
        exists_.insert(owner.substr(dot + 1));
      exists_.insert(owner);
    }
  }
  std::string Answer(const std::string& name) const {
    auto found = data_.find(name);
    if (found == data_.end() && !exists_.contains(name)) {
      std::string encloser = name;  // the closest one: the longest existing ancestor
      do {
        const size_t dot = encloser.find('.');
        encloser = dot == std::string::npos ? "" : encloser.substr(dot + 1);
      } while (!encloser.empty() && !exists_.contains(encloser));
      found = data_.find(encloser.empty() ? "*" : "*." + encloser);
    }
    if (found == data_.end() || found->second.find("CNAME\texcluded") != std::string::npos) return "";
    return found->second;
  }

 private:
  std::map<std::string, std::string> data_;
  std::set<std::string> exists_;
};

std::string Expected(const View& view, uint32_t result) {
  std::string out;
  for (uint32_t id = result; result != 0; id++) {
    const Value& v = view.value(id);
    out += "\tA\t127.0.0." + std::to_string(v.a[3]) + "\n";
    if (uint32_t t = v.ref & kValueTextMask; t != 0)
      out += "\tTXT\t\"" + ExpandText(view.text(t), "") + "\"\n";
    if ((v.ref & kValueMore) == 0) break;
  }
  return out;
}

// Random address lists with borders at octet borders and elsewhere, few results, some everywhere.
BigVector<compiler::Interval4> RandomMap4(std::mt19937_64& random,
                                            const std::vector<compiler::ResultId>& results) {
  std::map<net::Ip4, compiler::ResultId> painted{{0, 0}};
  auto paint = [&](const net::Range4& r, compiler::ResultId value) {
    const compiler::ResultId behind = std::prev(painted.upper_bound(r.last))->second;
    painted.erase(painted.lower_bound(r.first), painted.upper_bound(r.last));
    painted[r.first] = value;
    if (r.last != ~0u) painted[r.last + 1] = painted.contains(r.last + 1) ? painted[r.last + 1] : behind;
  };
  const int entries = 1 + static_cast<int>(random() % 30);
  for (int i = 0; i < entries; i++) {
    static constexpr int kLengths[] = {8, 8, 9, 15, 16, 16, 17, 23, 24, 24, 25, 30, 31, 32, 32, 32, 0};
    int length = kLengths[random() % (random() % 20 == 0 ? 17 : 16)];
    // Few different octets, so that entries meet.
    const net::Ip4 base =
        static_cast<net::Ip4>(random() % 3) << 24 | static_cast<net::Ip4>(random() % 3 * 85) << 16 |
        static_cast<net::Ip4>(random() % 3 * 85) << 8 | static_cast<net::Ip4>(random() % 256);
    paint(net::PrefixRange4(base, length), results[random() % results.size()]);
  }
  BigVector<compiler::Interval4> out;
  for (auto [start, result] : painted)
    if (out.empty() || out.back().result != result) out.push_back({start, result});
  return out;
}

TEST(DumpBindTest, WildcardsAnswerAsTheImageForRandomLists) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; round++) {
    compiler::ImageModel m;
    const std::vector<compiler::ResultId> results = {0, MakeResult(&m.pool, "127.0.0.2", "a"),
                                                     MakeResult(&m.pool, "127.0.0.3"), 0};
    auto d = std::make_unique<compiler::DatasetModel>();
    d->kind = round % 3 == 0 ? kIp4Trie : kIp4Set;
    d->spec = "x";
    d->map4 = RandomMap4(random, results);
    const BigVector<compiler::Interval4> map = d->map4;
    m.datasets.push_back(std::move(d));
    m.zones.push_back({Wire("x.test"), "x.test", 0, {0}, {}, {}, {}});
    std::vector<uint8_t> image;
    ASSERT_TRUE(compiler::WriteImage(m, {}, &image).ok());
    StatusOr<View> view = Verify(image, VerifyLevel::kEverything);
    ASSERT_TRUE(view.ok()) << Message(view.status());
    std::string text;
    DumpBind(*view, {}, [&](std::string_view lines) { text += lines; });
    const MasterFile master(text);
    const uint32_t offset = Datasets(view->node(view->zones()[0].node))[0].map4;
    auto check = [&](net::Ip4 a) {
      const uint32_t result = offset == 0 ? 0 : FindAddress(*view, view->map(offset), a).result;
      const std::string name = std::to_string(a & 255) + "." + std::to_string(a >> 8 & 255) + "." +
                               std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 24);
      ASSERT_EQ(master.Answer(name), Expected(*view, result)) << name << " round " << round << "\n"
                                                              << text.substr(0, 5000);
    };
    for (const compiler::Interval4& i : map)
      for (int delta = -1; delta <= 1; delta++) check(i.start + static_cast<uint32_t>(delta));
    for (int i = 0; i < 300; i++) {
      check(static_cast<net::Ip4>(random()));
      check(map[random() % map.size()].start + static_cast<uint32_t>(random() % 70000));
    }
    if (HasFatalFailure()) return;
  }
}

TEST(DumpBindTest, NibbleNamesAnswerAsTheImageForRandomLists) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 100; round++) {
    compiler::ImageModel m;
    const compiler::ResultId one = MakeResult(&m.pool, "127.0.0.2", "a");
    std::set<net::Ip6> starts;
    for (int i = 0; i < 6; i++) starts.insert({0x20010db8ull << 32 | random() % 16, random() % 64});
    auto d = std::make_unique<compiler::DatasetModel>();
    d->kind = kIp6Trie;
    d->spec = "x";
    d->map6.push_back({net::Ip6{}, 0});
    for (const net::Ip6& s : starts) d->map6.push_back({s, d->map6.back().result == 0 ? one : 0});
    const BigVector<compiler::Interval6> map = d->map6;
    m.datasets.push_back(std::move(d));
    m.zones.push_back({Wire("x.test"), "x.test", 0, {0}, {}, {}, {}});
    std::vector<uint8_t> image;
    ASSERT_TRUE(compiler::WriteImage(m, {}, &image).ok());
    StatusOr<View> view = Verify(image, VerifyLevel::kEverything);
    ASSERT_TRUE(view.ok()) << Message(view.status());
    std::string text;
    DumpBind(*view, {}, [&](std::string_view lines) { text += lines; });
    const MasterFile master(text);
    const MapHeader& header = view->map(Datasets(view->node(view->zones()[0].node))[0].map6);
    for (int i = 0; i < 500; i++) {
      net::Ip6 a = map[random() % map.size()].start;
      if (i % 3 == 0) a = a.Previous();
      if (i % 3 == 1) a.low += random() % (1ull << (random() % 60));
      std::string name;
      for (int n = 0; n < 32; n++) {
        const uint64_t half = n < 16 ? a.low : a.high;
        name += (n == 0 ? "" : ".") + std::string(1, "0123456789abcdef"[half >> (4 * (n % 16)) & 15]);
      }
      ASSERT_EQ(master.Answer(name), Expected(*view, FindAddress(*view, header, a).result)) << name << "\n"
                                                                                            << text;
    }
  }
}

// Ordinary small files: the text is the same, octet by octet.
class SideBySide {
 public:
  static bool Available() { return access(kProgram, X_OK) == 0; }
  static std::string Dump(const std::vector<std::string>& specs) {
    std::string command = kProgram + std::string(" -d");
    for (const std::string& s : specs) command += " '" + s + "'";
    command += " 2>/dev/null";
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "";
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
    pclose(pipe);
    for (int i = 0; i < 2; i++) text.erase(0, text.find('\n') + 1);
    return text;
  }

 private:
  static constexpr const char* kProgram = "/usr/sbin/rbldnsd";
};

std::string Octets(std::mt19937_64& random, int n) {
  std::string out;
  for (int i = 0; i < n; i++)
    out += (i == 0 ? "" : ".") + std::to_string(i < 2 ? random() % 3 + 1 : random() % 250);
  return out;
}

std::string RandomFile(std::mt19937_64& random, const std::string& kind) {
  std::string out;
  if (random() % 2) out += "$SOA 1h ns.ex.test Adm.ex.test 0 2h 10m 1w 5m\n";
  if (random() % 2) out += "$NS 2h ns1.out.test ns2.other.test\n";
  if (random() % 3 == 0) out += "$TTL " + std::to_string(random() % 5000 + 1) + "\n";
  // Every value is another one: an image cannot tell an entry that repeats what a larger block says from no
  // entry.
  const auto value = [&](int i) {
    static const std::string kValues[] = {" text", " :3:", " :4:t $ ", " q\"uote", " $$ x"};
    return kValues[random() % std::size(kValues)] + std::to_string(i);
  };
  std::set<std::string> seen;
  const int entries = 1 + static_cast<int>(random() % 12);
  for (int i = 0; i < entries; i++) {
    std::string key;
    if (kind == "ip4set") {
      const int octets = 2 + static_cast<int>(random() % 3);
      key = Octets(random, octets) + (octets == 4 ? "" : "/" + std::to_string(8 * octets));
      if (octets < 4)
        key = key.substr(0, key.find('/')) + std::string(octets == 2 ? ".0.0" : ".0") + "/" +
              std::to_string(8 * octets);
    } else if (kind == "ip4tset") {
      key = Octets(random, 4);
    } else if (kind == "ip4trie") {
      key = Octets(random, 3) + ".0/24";
    } else if (kind == "ip6tset") {
      key = "2001:db8:" + std::to_string(random() % 3) + ":" + std::to_string(random() % 100);
    } else if (kind == "dnset") {
      static const std::string kForms[] = {"", ".", "*."};
      key = kForms[random() % 3] + "n" + std::to_string(random() % 50) + (random() % 2 ? ".example" : ".org");
    } else {
      key = random() % 5 == 0 ? "@" : "g" + std::to_string(random() % 90);
    }
    if (!seen.insert(key).second) continue;
    if (kind == "generic") {
      out += key + " A 1.2.3." + std::to_string(random() % 250) + "\n";
      if (random() % 2) out += key + " 60 TXT some text\n";
      if (random() % 3 == 0) out += key + " MX 5 mx.test\n";
    } else if (kind == "ip4tset" || kind == "ip6tset") {
      out += key + "\n";
    } else {
      out += (kind != "generic" && random() % 8 == 0 ? "!" : "") + key + value(i) + "\n";
    }
  }
  return out;
}

TEST(DumpBindTest, SameTextAsRbldnsdForOrdinaryFiles) {
  if (!SideBySide::Available()) GTEST_SKIP() << "rbldnsd is not installed";
  std::mt19937_64 random(9);
  static const std::string kKinds[] = {"ip4set", "ip4tset", "ip4trie", "ip6tset", "dnset", "generic"};
  int same = 0, rounds = 240;
  for (int round = 0; round < rounds; round++) {
    DataFiles files;
    const std::string& kind = kKinds[static_cast<size_t>(round) % std::size(kKinds)];
    const std::string text = RandomFile(random, kind);
    const std::vector<std::string> specs = {"bl.test:" + kind + ":" + files.Add("d", text)};
    const std::string theirs = SideBySide::Dump(specs), ours = OurDump(specs);
    same += ours == theirs;
    EXPECT_EQ(ours, theirs) << kind << " round " << round << "\n" << text;
    if (HasFailure()) break;
  }
  std::printf("%d of %d dumps are the same text\n", same, rounds);
}

}  // namespace
}  // namespace mz::image
