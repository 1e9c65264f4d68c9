// See published.h.
#include "compiler/spf/published.h"

#include <algorithm>

#include "compiler/spf/read_record.h"
#include "compiler/spf/wire_names.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {
namespace {

using mz::spf::Mechanism;

bool HasClass(std::string_view layout) { return layout.find("{class}") != std::string_view::npos; }

std::string Lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  while (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

// `text` with every `from` replaced.
std::string With(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

class Reader {
 public:
  Reader(const std::string& domain, const ZoneSettings& zone, Published* out)
      : domain_(RawText(domain)), zone_(zone), apex_(RawText(zone.apex)), out_(*out) {}

  void Read(const mz::spf::Record& record) {
    bool first = true;
    int includes = 0;
    for (const mz::spf::Term& t : record.terms) {
      if (t.mechanism == Mechanism::kAll) {
        out_.all = mz::spf::QualifierSign(t.qualifier);
        break;
      }
      const std::string target = t.domain ? Lower(mz::spf::MacroText(*t.domain)) : "";
      if (!LeadsHome(target)) {
        out_.others.push_back(out_.text.substr(t.column - 1, t.length));
        continue;
      }
      includes += t.mechanism == Mechanism::kInclude;
      if (first) Ours(t.mechanism == Mechanism::kExists ? Form::kExists : Form::kInclude, target);
      first = false;
    }
    if (includes > 1) out_.form = Form::kClasses;
    const bool has_all = std::any_of(record.terms.begin(), record.terms.end(),
                                     [](const mz::spf::Term& t) { return t.mechanism == Mechanism::kAll; });
    if (record.redirect && !has_all && first) {
      const std::string target = Lower(mz::spf::MacroText(record.redirect->value));
      if (LeadsHome(target)) return Ours(Form::kRedirect, target);
      out_.others.push_back(out_.text.substr(record.redirect->column - 1, record.redirect->length));
    }
  }

 private:
  bool LeadsHome(const std::string& target) const { return EndsInZone(target, zone_.apex); }

  void Ours(Form form, const std::string& target) {
    out_.kind = Published::kOurs;
    out_.form = form;
    out_.target = target;
    for (const std::string& layout : zone_.layouts) {
      for (const char c : std::string_view("psnfz")) {
        const std::string wanted = Lower(PublishedTarget(layout, apex_, c));
        // The domain may be written out.
        if (target == wanted || target == With(wanted, "%{d}", domain_) || With(target, "%{o}", "%{d}") == wanted)
          out_.fits_layout = true;
      }
    }
  }

  const std::string domain_;
  const ZoneSettings& zone_;
  const std::string apex_;
  Published& out_;
};

}  // namespace

Published ReadPublished(AnswerSource* source, const std::string& domain, const ZoneSettings& zone) {
  Published out;
  const RecordRead read = ReadRecord(source, domain);
  out.text = read.text;
  out.problem = read.problem;
  if (!read.ok) {
    out.kind = read.temporary                               ? Published::kUnknown
               : read.problem.starts_with("permerror: ") ? Published::kBroken
                                                            : Published::kNothing;
    return out;
  }
  out.kind = Published::kElsewhere;
  Reader(domain, zone, &out).Read(read.record);
  return out;
}

std::string NeededSettings(const ZoneSettings& zone, Form form) {
  const bool has_class = std::any_of(zone.layouts.begin(), zone.layouts.end(), HasClass);
  const bool has_plain = !std::all_of(zone.layouts.begin(), zone.layouts.end(), HasClass);
  switch (form) {
    case Form::kRedirect:
      // An include zone says -all for everything that does not pass.
      if (zone.form == Form::kInclude) return "form = \"redirect\"";
      return has_plain ? "" : "layout = \"" + LayoutFor(zone, form) + "\"";
    case Form::kInclude:
      return has_plain ? "" : "layout = \"" + LayoutFor(zone, form) + "\"";
    case Form::kExists:
      return zone.form == Form::kExists ? "" : "form = \"exists\"";
    case Form::kClasses:
      break;
  }
  std::string out = zone.form == Form::kClasses ? "" : "form = \"classes\"";
  if (!has_class) out += (out.empty() ? "" : " and ") + ("layout = \"" + LayoutFor(zone, form) + "\"");
  return out;
}

std::string LayoutFor(const ZoneSettings& zone, Form form) {
  const bool classes = form == Form::kClasses;
  for (const std::string& layout : zone.layouts)
    if (HasClass(layout) == classes) return layout;
  if (classes) return "{class}." + zone.layouts.front();
  const std::string out = With(With(zone.layouts.front(), "{class}.", ""), ".{class}", "");
  return out;
}

std::string_view FormName(Form form) {
  constexpr std::string_view kNames[] = {"redirect", "include", "exists", "classes"};
  return kNames[static_cast<size_t>(form)];
}

}  // namespace mz::compiler::spf
