// See dkim_sign.h.
#include "cli/healthcheck/dkim_sign.h"

#include <strings.h>

#include <algorithm>

namespace mz::mail {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view AlgorithmName(const PrivateKey& key, Hash hash) {
  if (key.kind() == PrivateKey::kEd25519) return "ed25519-sha256";
  return hash == Hash::kSha1 ? "rsa-sha1" : "rsa-sha256";
}

std::string FoldedBase64(std::string_view base64) {
  constexpr size_t kPiece = 72;
  std::string out;
  for (size_t at = 0; at < base64.size(); at += kPiece) {
    out += "\r\n ";
    out += base64.substr(at, kPiece);
  }
  return out;
}

std::string SignedHeaders(const Message& message, const std::vector<std::string>& names, Canon canon) {
  std::string out;
  std::vector<bool> used(message.fields.size());
  for (const std::string& name : names) {
    for (size_t k = message.fields.size(); k-- > 0;) {
      if (used[k] || !SameName(message.fields[k].name, name)) continue;
      used[k] = true;
      out += CanonicalField(canon, message.fields[k].name, message.fields[k].value);
      break;
    }
  }
  return out;
}

StatusOr<std::string> SignatureOver(std::string_view signed_headers, const Field& unsigned_field, Canon canon,
                                    Hash hash, const PrivateKey& key) {
  std::string octets(signed_headers);
  octets += CanonicalField(canon, unsigned_field.name, unsigned_field.value);
  octets.resize(octets.size() - 2);  // its CRLF
  MZ_ASSIGN_OR_RETURN(const std::string signature, key.Sign(hash, octets));
  return Base64(signature);
}

StatusOr<Field> DkimSign(const Message& message, const DkimSettings& s, const PrivateKey& key) {
  const std::string body = CanonicalBody(s.body, message.body);
  const size_t covered = std::min(body.size(), s.body_octets.value_or(body.size()));
  std::string tags = "v=1; a=" + std::string(AlgorithmName(key, s.hash)) +
                     "; c=" + std::string(CanonName(s.header)) + "/" + std::string(CanonName(s.body)) +
                     "; d=" + s.domain + "; s=" + s.selector + ";";
  if (!s.identity.empty()) tags += " i=" + s.identity + ";";
  if (s.timestamp) tags += " t=" + std::to_string(*s.timestamp) + ";";
  if (s.expiration) tags += " x=" + std::to_string(*s.expiration) + ";";
  if (s.body_octets) tags += " l=" + std::to_string(covered) + ";";
  tags += " h=";
  for (size_t k = 0; k < s.headers.size(); ++k) tags += (k == 0 ? "" : ": ") + s.headers[k];
  tags += "; bh=" + Base64(Digest(s.hash, std::string_view(body).substr(0, covered))) + ";";
  Field field{"DKIM-Signature", Folded("DKIM-Signature", tags) + "\r\n b="};
  MZ_ASSIGN_OR_RETURN(const std::string b,
                      SignatureOver(SignedHeaders(message, s.headers, s.header), field, s.header, s.hash, key));
  // Folded within b= only: a verifier removes the value with its blanks before it hashes (RFC 6376 section 3.5,
  // b=).
  field.value += b.substr(0, 70) + (b.size() > 70 ? FoldedBase64(std::string_view(b).substr(70)) : "");
  return field;
}

}  // namespace mz::mail
