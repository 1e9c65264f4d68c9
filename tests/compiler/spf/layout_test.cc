// Query layouts: what is accepted, what is published, how long names get.
#include "compiler/spf/layout.h"

#include "gtest/gtest.h"

namespace mz::compiler::spf {
namespace {

using Part = SpfLayoutPart;

std::vector<int> Kinds(std::string_view text) {
  StatusOr<SpfLayout> layout = ParseLayout(text);
  std::vector<int> out;
  if (layout.ok())
    for (const Part& p : *layout) out.push_back(p.kind);
  return out;
}
std::string ErrorOf(std::string_view text) { return std::string(Message(ParseLayout(text).status())); }

TEST(LayoutTest, Parts) {
  EXPECT_EQ(Kinds("%{ir}.%{d}"), (std::vector<int>{Part::kAddressReversed, Part::kDomain}));
  EXPECT_EQ(Kinds("%{ir}.%{v}.%{d}"), (std::vector<int>{Part::kAddressReversed, Part::kFamily, Part::kDomain}));
  EXPECT_EQ(Kinds("%{i}._ip.%{h}._ehlo.%{d}"),
            (std::vector<int>{Part::kAddress, Part::kLiteral, Part::kIgnored, Part::kLiteral, Part::kDomain}));
  EXPECT_EQ(Kinds("{class}.%{ir}._d.%{d}"),
            (std::vector<int>{Part::kClass, Part::kAddressReversed, Part::kLiteral, Part::kDomain}));
  EXPECT_EQ(ParseLayout("_I.%{i}")->front().label, "_i");
}

TEST(LayoutTest, WithoutDomainTheSenderOrHeloSelects) {
  EXPECT_EQ(Kinds("%{ir}.%{o}"), (std::vector<int>{Part::kAddressReversed, Part::kDomain}));
  EXPECT_EQ(Kinds("%{i}._h.%{h}._o.%{o}"), (std::vector<int>{Part::kAddress, Part::kLiteral, Part::kIgnored,
                                                             Part::kLiteral, Part::kDomain}));
  EXPECT_EQ(Kinds("%{ir}.%{h}"), (std::vector<int>{Part::kAddressReversed, Part::kDomain}));
  EXPECT_EQ(Kinds("%{ir}"), (std::vector<int>{Part::kAddressReversed}));
}

TEST(LayoutTest, Mistakes) {
  EXPECT_NE(ErrorOf("").find("empty"), std::string::npos);
  EXPECT_NE(ErrorOf("%{d}").find("no %{ir}"), std::string::npos);
  EXPECT_NE(ErrorOf("%{i}.%{ir}.%{d}").find("address twice"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}..%{d}").find("empty label"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}.%{d}.").find("empty label"), std::string::npos);
  EXPECT_NE(ErrorOf("%{IR}.%{d}").find("lower case"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}x.%{d}").find("either text or one macro"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}.%{d2}").find("no transformers"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}.%{q}.%{d}").find("not a macro"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}.%{d}.%{d}").find("%{d} twice"), std::string::npos);
  EXPECT_NE(ErrorOf("%{ir}.%{h}.%{d}").find("without a text label"), std::string::npos);
  EXPECT_NE(ErrorOf("{class}.{class}.%{ir}.%{d}").find("{class} twice"), std::string::npos);
  EXPECT_NE(ErrorOf("a b.%{ir}").find("characters"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(64, 'a') + ".%{ir}").find("63"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(201, 'a')).find("200"), std::string::npos);
}

TEST(LayoutTest, PublishedRecords) {
  EXPECT_EQ(PublishedRecord("%{ir}.%{d}", "z.example", Form::kRedirect, '-'), "v=spf1 redirect=%{ir}.%{d}.z.example");
  EXPECT_EQ(PublishedRecord("%{ir}.%{d}", "z.example", Form::kInclude, '~'), "v=spf1 include:%{ir}.%{d}.z.example ~all");
  EXPECT_EQ(PublishedRecord("%{ir}.%{d}", "z.example", Form::kExists, '?'), "v=spf1 exists:%{ir}.%{d}.z.example ?all");
  EXPECT_EQ(PublishedRecord("{class}.%{ir}.%{d}", "z.example", Form::kClasses, '-'),
            "v=spf1 include:p.%{ir}.%{d}.z.example ~include:s.%{ir}.%{d}.z.example ?include:n.%{ir}.%{d}.z.example -all");
}

TEST(LayoutTest, LongestNameIsThatOfAnIpv6Client) {
  const auto longest = [](std::string_view layout, bool helper) {
    return LongestQueryName(*ParseLayout(layout), "customer.example", "_spf.example.net", helper);
  };
  // 32 nibbles and 31 dots; each part and its dot.
  const std::string name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.customer.example._spf.example.net";
  EXPECT_EQ(longest("%{ir}.%{d}", false), name.size());
  EXPECT_EQ(longest("%{ir}.%{v}.%{d}", false), name.size() + 4);
  EXPECT_EQ(longest("{class}.%{ir}._d.%{d}", false), name.size() + 2 + 3);
  EXPECT_GE(longest("%{ir}.%{d}", true), name.size() + std::string_view("_h0.").size());
}

}  // namespace
}  // namespace mz::compiler::spf
