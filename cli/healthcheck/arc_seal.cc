// See arc_seal.h.
#include "cli/healthcheck/arc_seal.h"

namespace mz::mail {
namespace {

constexpr std::string_view kResults = "ARC-Authentication-Results", kSignature = "ARC-Message-Signature",
                           kSeal = "ARC-Seal";

// All sets there are, oldest first, each as results, signature, seal (RFC 8617 section 5.1.1). A set's fields
// stand together, the newest set on top, as AddArcSet() leaves them.
std::string SealedSets(const Message& message) {
  std::string out;
  for (size_t k = message.fields.size(); k-- > 0;) {
    const Field& f = message.fields[k];
    if (f.name == kResults || f.name == kSignature || f.name == kSeal)
      out += CanonicalField(Canon::kRelaxed, f.name, f.value);
  }
  return out;
}

}  // namespace

Status AddArcSet(const ArcSettings& s, unsigned instance, std::string_view cv, const PrivateKey& key,
                 Message* message) {
  const std::string i = "i=" + std::to_string(instance) + "; ";
  const std::string common = i + "a=" + std::string(AlgorithmName(key, Hash::kSha256)) + "; d=" + s.domain +
                             "; s=" + s.selector + "; t=" + std::to_string(s.timestamp) + ";";

  // The signature covers the message without the results of its own set.
  std::string tags = common + " c=relaxed/relaxed; h=";
  for (size_t k = 0; k < s.headers.size(); ++k) tags += (k == 0 ? "" : ": ") + s.headers[k];
  tags += "; bh=" + Base64(Digest(Hash::kSha256, CanonicalBody(Canon::kRelaxed, message->body))) + ";";
  Field signature{std::string(kSignature), Folded(kSignature, tags) + "\r\n b="};
  MZ_ASSIGN_OR_RETURN(std::string b, SignatureOver(SignedHeaders(*message, s.headers, Canon::kRelaxed), signature,
                                                   Canon::kRelaxed, Hash::kSha256, key));
  signature.value += FoldedBase64(b).substr(3);

  message->AddOnTop({std::string(kResults), Folded(kResults, i + s.results)});
  message->AddOnTop(std::move(signature));
  Field seal{std::string(kSeal), Folded(kSeal, common + " cv=" + std::string(cv) + ";") + "\r\n b="};
  MZ_ASSIGN_OR_RETURN(b, SignatureOver(SealedSets(*message), seal, Canon::kRelaxed, Hash::kSha256, key));
  seal.value += FoldedBase64(b).substr(3);
  message->AddOnTop(std::move(seal));
  return absl::OkStatus();
}

}  // namespace mz::mail
