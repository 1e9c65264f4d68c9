// Which published forms keep the results of a domain; and what is published today.
#include "compiler/spf/form_check.h"

#include "compiler/spf/published.h"
#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

class FormCheckTest : public testing::Test {
 protected:
  PolicyResults Results(const std::string& record) {
    const std::string name = "d" + std::to_string(count_++) + ".example";
    source_.AddTxt(name, {record});
    return ResultsOf(&evaluator_, evaluator_.Evaluate({MapSource::Wire(name), MapSource::Wire(name)}));
  }
  // "exact", "impossible", or the losses "softfail>fail".
  static std::string Say(const FormCheck& f) {
    if (!f.possible) return "impossible";
    std::string out = f.exact ? "exact" : "";
    for (const FormLoss& l : f.losses)
      out += (out.empty() ? "" : " ") + std::string(DefaultName(l.was)) + ">" + std::string(DefaultName(l.becomes));
    return out;
  }
  std::string Forms(const std::string& record) {
    std::string out;
    for (const FormCheck& f : CheckForms(Results(record)))
      out += (out.empty() ? "" : ", ") + Say(f) + (f.form == Form::kRedirect ? "" : std::string(" ") + f.all);
    return out;
  }

  MapSource source_;
  Evaluator evaluator_{&source_, {}};
  int count_ = 0;
};

TEST_F(FormCheckTest, OneResultBesidePassIsKeptByItsAll) {
  EXPECT_EQ(Forms("v=spf1 ip4:192.0.2.0/24 -all"), "exact, exact -, exact -, exact -");
  EXPECT_EQ(Forms("v=spf1 ip4:192.0.2.0/24 ~all"), "exact, exact ~, exact ~, exact -");
  EXPECT_EQ(Forms("v=spf1 ip4:192.0.2.0/24"), "exact, exact ?, exact ?, exact -");
}

TEST_F(FormCheckTest, TwoResultsBesidePassNeedRedirectOrClasses) {
  EXPECT_EQ(Forms("v=spf1 ip4:192.0.2.0/24 -ip4:198.51.100.0/24 ~all"),
            "exact, fail>softfail ~, fail>softfail ~, exact -");
  EXPECT_EQ(Forms("v=spf1 ?ip4:192.0.2.0/24 -all"), "exact, neutral>fail -, neutral>fail -, exact -");
}

TEST_F(FormCheckTest, LossesNameTheAddresses) {
  const PolicyResults r = Results("v=spf1 ?ip4:192.0.2.0/24 ?ip6:2001:db8::/32 -all");
  const FormCheck f = CheckForm(r, Form::kInclude, '-');
  ASSERT_EQ(f.losses.size(), 1u);
  EXPECT_EQ(evaluator_.sets4().Get(f.losses[0].set4), (std::vector<net::Range4>{{0xc0000200, 0xc00002ff}}));
  EXPECT_NE(f.losses[0].set6, kEmptySet);
  // The other qualifier loses the other result.
  EXPECT_EQ(Say(CheckForm(r, Form::kInclude, '?')), "fail>neutral");
  EXPECT_EQ(Say(CheckForm(r, Form::kInclude, '~')), "fail>softfail neutral>softfail");
}

TEST_F(FormCheckTest, DynamicPolicies) {
  EXPECT_EQ(Forms("v=spf1 exists:%{l}.e.example -all"), "exact, exact -, impossible -, exact -");
  EXPECT_EQ(Forms("v=spf1 ~exists:%{l}.e.example -all"), "exact, softfail>fail -, impossible -, exact -");
  // What a redirect ends in is not known; classes can only ask whether its target passes.
  EXPECT_EQ(Forms("v=spf1 ip4:192.0.2.1 redirect=%{l}.r.example"),
            "exact, softfail>fail neutral>fail -, impossible -, softfail>fail neutral>fail -");
}

TEST_F(FormCheckTest, ErrorsPassThroughIncludeButNotThroughExists) {
  EXPECT_EQ(Forms("v=spf1 ip4:192.0.2.1 include:nx.example -all"), "exact, exact -, permerror>fail -, exact -");
}

TEST_F(FormCheckTest, CostsAndExplanations) {
  PolicyResults r = Results("v=spf1 exists:%{l}.e.example mx:%{o} ptr -all");
  EXPECT_EQ(r.lookups, 3u);
  EXPECT_EQ(r.exists, 1u);
  EXPECT_EQ(CheckForm(r, Form::kRedirect, '-').lookups, 4u);
  EXPECT_EQ(CheckForm(r, Form::kClasses, '-').lookups, 6u);
  EXPECT_TRUE(CheckForm(r, Form::kInclude, '-').notes.empty());
  source_.AddTxt("x.example", {"no"});
  r = Results("v=spf1 -all exp=x.example");
  EXPECT_TRUE(r.explanation);
  EXPECT_EQ(CheckForm(r, Form::kInclude, '-').notes.size(), 1u);
  r = Results("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all");
  EXPECT_EQ(r.text4, std::string_view("v=spf1 ip4:255.255.255.255 -all").size());
  EXPECT_EQ(r.text6, std::string_view("v=spf1 ip6: -all").size() + 39);
}

class PublishedTest : public testing::Test {
 protected:
  PublishedTest() {
    zone_.apex = MapSource::Wire("_spf.z.example");
    zone_.layouts = {"%{ir}.%{d}", "{class}.%{ir}.%{d}"};
  }
  Published Read(const std::string& record) {
    MapSource source;
    source.AddTxt("c.example", {record});
    return ReadPublished(&source, MapSource::Wire("c.example"), zone_);
  }
  ZoneSettings zone_;
};

TEST_F(PublishedTest, Forms) {
  Published p = Read("v=spf1 redirect=%{ir}.%{d}._spf.z.example");
  EXPECT_EQ(p.kind, Published::kOurs);
  EXPECT_EQ(p.form, Form::kRedirect);
  EXPECT_TRUE(p.fits_layout);
  p = Read("v=spf1 mx include:%{IR}.%{d}._SPF.z.example. ~all");
  EXPECT_EQ(p.form, Form::kInclude);
  EXPECT_EQ(p.all, '~');
  EXPECT_EQ(p.others, (std::vector<std::string>{"mx"}));
  p = Read("v=spf1 exists:%{ir}.c.example._spf.z.example -all");  // the domain written out
  EXPECT_EQ(p.form, Form::kExists);
  EXPECT_TRUE(p.fits_layout);
  p = Read(PublishedRecord("{class}.%{ir}.%{d}", "_spf.z.example", Form::kClasses, '-'));
  EXPECT_EQ(p.form, Form::kClasses);
  EXPECT_TRUE(p.fits_layout);
}

TEST_F(PublishedTest, WhatIsWrong) {
  EXPECT_EQ(Read("v=spf1 include:other.example -all").kind, Published::kElsewhere);
  EXPECT_EQ(Read("v=spf1 include:x_spf.z.example -all").kind, Published::kElsewhere);
  EXPECT_EQ(Read("v=spf1 -all include:%{ir}.%{d}._spf.z.example").kind, Published::kElsewhere);
  EXPECT_EQ(Read("v=spf1 -all redirect=%{ir}.%{d}._spf.z.example").kind, Published::kElsewhere);
  EXPECT_FALSE(Read("v=spf1 include:%{i}.%{d}._spf.z.example -all").fits_layout);
  EXPECT_EQ(Read("v=spf1 oops").kind, Published::kBroken);
  EXPECT_EQ(Read("something else").kind, Published::kNothing);
  MapSource failing;
  failing.Fail("c.example");
  EXPECT_EQ(ReadPublished(&failing, MapSource::Wire("c.example"), zone_).kind, Published::kUnknown);
}

TEST_F(PublishedTest, NeededSettings) {
  EXPECT_EQ(NeededSettings(zone_, Form::kRedirect), "");
  EXPECT_EQ(NeededSettings(zone_, Form::kExists), "form = \"exists\"");
  EXPECT_EQ(NeededSettings(zone_, Form::kClasses), "form = \"classes\"");
  zone_.form = Form::kInclude;
  zone_.layouts = {"%{ir}.%{d}"};
  EXPECT_EQ(NeededSettings(zone_, Form::kRedirect), "form = \"redirect\"");
  EXPECT_EQ(NeededSettings(zone_, Form::kClasses), "form = \"classes\" and layout = \"{class}.%{ir}.%{d}\"");
  zone_.layouts = {"{class}.%{ir}.%{d}"};
  EXPECT_EQ(NeededSettings(zone_, Form::kInclude), "layout = \"%{ir}.%{d}\"");
}

}  // namespace
}  // namespace mz::compiler::spf
