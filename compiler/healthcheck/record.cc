// See record.h.
#include "compiler/healthcheck/record.h"

#include <algorithm>

namespace mz::compiler {

namespace {

constexpr size_t kMaxString = 255;

void PutString(std::string_view text, std::string* out) {
  out->push_back(static_cast<char>(text.size()));
  out->append(text);
}

}  // namespace

std::string Template::Expand(std::string_view text) const {
  const std::string digits(image::kHealthcheckIdDigits, kHealthcheckHole);
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '@' || (next != 'D' && next != 'I' && next != 'Z')) {
      out += text[i];
      continue;
    }
    i++;
    if (next == 'D') out.append(digits).append(".").append(zone_);
    if (next == 'I') out += digits;
    if (next == 'Z') out += zone_;
  }
  return out;
}

std::string Template::Text(std::string_view text) const { return Text(text, kMaxString); }

std::string Template::Text(std::string_view text, size_t width) const {
  const std::string all = Expand(text);
  std::string_view rest = all;
  std::string out;
  do {
    size_t take = std::min(width, rest.size());
    // A hole that begins in this string and ends behind it goes to the next as a whole.
    if (take < rest.size() && rest[take] == kHealthcheckHole)
      while (take > 0 && rest[take - 1] == kHealthcheckHole) take--;
    if (take == 0) take = std::min(rest.size(), size_t{image::kHealthcheckIdDigits});
    PutString(rest.substr(0, take), &out);
    rest.remove_prefix(take);
  } while (!rest.empty());
  return out;
}

std::string Template::Strings(const std::vector<std::string>& texts) const {
  std::string out;
  for (const std::string& t : texts) PutString(Expand(t), &out);
  return out;
}

std::string Template::Name(std::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
    if (label == "@D") {
      PutString(std::string(image::kHealthcheckIdDigits, kHealthcheckHole), &out);
      out += apex_;
    } else if (label == "@Z") {
      out += apex_;
    } else {
      PutString(label, &out);
    }
  }
  return out + '\0';
}

std::string Template::Mx(uint16_t preference, std::string_view text) const {
  std::string out;
  out += static_cast<char>(preference >> 8);
  out += static_cast<char>(preference);
  return out + Name(text);
}

std::string SubName(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t dot = text.find('.');
    PutString(text.substr(0, dot), &out);
    text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  }
  return out;
}

}  // namespace mz::compiler
